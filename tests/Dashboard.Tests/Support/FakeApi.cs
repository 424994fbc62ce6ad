using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
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

    private readonly Channel<string> news = Channel.CreateUnbounded<string>();

    public FakeTokens Tokens { get; } = new();

    /// <summary>To whoever listens to /v1/events.</summary>
    public void Tell(string name, JsonObject data) =>
        news.Writer.TryWrite($"event: {name}\ndata: {data.ToJsonString()}\n\n");

    public void Fill()
    {
        Tokens.Fill();
    }

    public void Map(IEndpointRouteBuilder node)
    {
        var http = node.MapGroup("").AllowAnyone();
        Posters.Map(http);
        http.MapGet("/v1/events", EventsAsync);
        http.MapGet("/v1/media/{id}", (string id) => Results.Json(new { media_id = id, state = "uploaded" }));
        http.MapGet("/v1/nodes/events", StayAsync);
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

    private async Task EventsAsync(HttpContext context)
    {
        await BeginAsync(context);
        await foreach (var text in news.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync(text, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    private static async Task StayAsync(HttpContext context)
    {
        await BeginAsync(context);
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
    }

    private static Task BeginAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        return context.Response.Body.FlushAsync();
    }
}
