using System.Text.Json;
using System.Text.Json.Nodes;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>What the pages' scripts ask of the other roles over HTTP.</summary>
internal sealed class FakeApi
{
    private static readonly JsonSerializerOptions Snake = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public FakeStream Events { get; } = new();

    public FakeStream NodeEvents { get; } = new();

    /// <summary>Of every media that a page asks for by itself.</summary>
    public string MediaState { get; set; } = "uploaded";

    public FakeTokens Tokens { get; } = new();

    /// <summary>To whoever listens to /v1/events.</summary>
    public void Tell(string name, JsonObject data) => Events.Tell(name, data);

    public void Fill()
    {
        Tokens.Fill();
    }

    public void Map(IEndpointRouteBuilder node)
    {
        var http = node.MapGroup("").AllowAnyone();
        Posters.Map(http);
        http.MapGet("/v1/events", Events.AnswerAsync);
        http.MapGet("/v1/media/{id}", (string id) => Results.Json(new { media_id = id, state = MediaState }));
        http.MapGet("/v1/nodes/events", NodeEvents.AnswerAsync);
        http.MapPost("/v1/tokens", async (HttpContext context) =>
        {
            var asked = await context.Request.ReadFromJsonAsync<TokenRequest>(Snake);
            var (token, secret) = await Tokens.CreateAsync(context.Principal(), asked!, context.RequestAborted);
            return Results.Json(new { id = token.Id, name = token.Name, secret }, statusCode: 201);
        }).RequireScope(Scope.Admin);
        http.MapDelete("/v1/tokens/{id}", async (HttpContext context, string id) =>
        {
            await Tokens.RevokeAsync(context.Principal(), id);
            return Results.NoContent();
        }).RequireScope(Scope.Admin);
    }
}
