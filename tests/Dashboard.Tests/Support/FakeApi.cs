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
    private readonly Channel<string> news = Channel.CreateUnbounded<string>();

    public List<JsonObject> Tokens { get; } = [];

    public List<JsonObject> Audit { get; } = [];

    /// <summary>To whoever listens to /v1/events.</summary>
    public void Tell(string name, JsonObject data) =>
        news.Writer.TryWrite($"event: {name}\ndata: {data.ToJsonString()}\n\n");

    public void Fill()
    {
        Tokens.Add(Token("admin", null, "read", "upload", "admin"));
        Tokens.Add(Token("Studio ingest, second floor", "news", "upload"));
        Tokens.Add(Token("<b>bold</b>", "film-school", "read", "upload"));
        string[] actions = ["media.delete", "token.create", "session.create", "media.retry"];
        for (var i = 0; i < 60; i++)
        {
            Audit.Add(new JsonObject
            {
                ["at"] = "2026-11-22T09:30:00.000Z", ["who"] = i % 3 == 0 ? "Studio ingest, second floor" : "admin",
                ["tenant"] = null, ["action"] = actions[i % actions.Length], ["target"] = $"01kb{i:d22}",
                ["address"] = "192.0.2.17", ["outcome"] = i % 7 == 5 ? "scope_missing" : "ok", ["trace_id"] = null,
            });
        }
    }

    public void Map(IEndpointRouteBuilder node)
    {
        var http = node.MapGroup("").AllowAnyone();
        Posters.Map(http);
        http.MapGet("/v1/events", EventsAsync);
        http.MapGet("/v1/media/{id}", (string id) => Results.Json(new { media_id = id, state = "uploaded" }));
        http.MapGet("/v1/nodes/events", StayAsync);
        http.MapGet("/v1/tokens", () => Results.Json(new { tokens = Tokens }));
        http.MapPost("/v1/tokens", async (HttpContext context) =>
        {
            var asked = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
            var token = Token(
                (string)asked["name"]!, (string?)asked["tenant"],
                [.. asked["scopes"]!.AsArray().Select(scope => (string)scope!)]);
            Tokens.Add(token);
            var answer = token.DeepClone();
            answer["secret"] = "hxc_0123456789abcdef";
            return Results.Json(answer, JsonSerializerOptions.Web, statusCode: 201);
        });
        http.MapDelete("/v1/tokens/{id}", (string id) =>
            Tokens.RemoveAll(token => (string)token["id"]! == id) > 0 ? Results.NoContent() : Results.NotFound());
        http.MapGet("/v1/audit", (int limit, int? cursor) => Results.Json(new
        {
            entries = Audit.Skip(cursor ?? 0).Take(limit),
            next_cursor = Audit.Count > (cursor ?? 0) + limit ? $"{(cursor ?? 0) + limit}" : null,
        }));
    }

    private JsonObject Token(string name, string? tenant, params string[] scopes) => new()
    {
        ["id"] = $"token-{Tokens.Count}", ["name"] = name, ["tenant"] = tenant,
        ["scopes"] = new JsonArray([.. scopes.Select(scope => (JsonNode)scope)]),
        ["expires_at"] = Tokens.Count == 0 ? null : "2027-11-22T09:30:00.000Z", ["last_used_at"] = null,
    };

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
