using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>What the media page asks of the catalogue over HTTP: a media and its job, as the test sets them.</summary>
internal sealed class MediaApi : RoleModule
{
    private readonly Lock turn = new();
    private readonly List<Channel<string>> listeners = [];
    private JsonObject? media;

    public void Set(JsonObject json)
    {
        lock (turn)
        {
            media = json;
            Tell("media", json);
        }
    }

    public void Progress(JsonArray tasks)
    {
        lock (turn)
        {
            Tell("progress", new JsonObject { ["tasks"] = tasks });
        }
    }

    public override void AddServices(RoleBuilder role)
    {
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        http.MapGet("/v1/media/{id}/events", EventsAsync).AllowAnyone().ExcludeFromDescription();
        http.MapGet(
            "/v1/media/{id}",
            () => media is null ? Results.NotFound() : Results.Text(media.ToJsonString(), "application/json"))
            .AllowAnyone().ExcludeFromDescription();
    }

    private void Tell(string name, JsonObject data) =>
        listeners.ForEach(l => l.Writer.TryWrite($"event: {name}\ndata: {data.ToJsonString()}\n\n"));

    private async Task EventsAsync(HttpContext context)
    {
        var mine = Channel.CreateUnbounded<string>();
        lock (turn)
        {
            listeners.Add(mine);
        }

        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await foreach (var text in mine.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
