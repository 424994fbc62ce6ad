using System.Text;
using System.Threading.Channels;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hexcast.Playback.Tests.Browser;

/// <summary>What the watch page asks of the catalogue over HTTP: events as the test sends them, and a retry.</summary>
internal sealed class PageRole : RoleModule
{
    private readonly Lock turn = new();
    private readonly List<Channel<string>> listeners = [];
    private string? media;

    public int Retries { get; private set; }

    public void Send(string mediaJson)
    {
        lock (turn)
        {
            media = mediaJson;
            Tell($"event: media\ndata: {mediaJson}\n\n");
        }
    }

    public void Progress(string tasksJson)
    {
        lock (turn)
        {
            Tell($"event: progress\ndata: {{\"tasks\":{tasksJson}}}\n\n");
        }
    }

    /// <summary>As after a delete: streams end, and the media is not found.</summary>
    public void Delete()
    {
        lock (turn)
        {
            media = null;
            listeners.ForEach(l => l.Writer.TryComplete());
            listeners.Clear();
        }
    }

    public override void AddServices(RoleBuilder role)
    {
    }

    public override void MapHttp(IEndpointRouteBuilder http)
    {
        http.MapGet("/v1/media/{id}/events", EventsAsync).AllowAnyone();
        http.MapGet(
            "/v1/media/{id}", () => media is null ? Results.NotFound() : Results.Text(media, "application/json"))
            .AllowAnyone();
        http.MapPost("/v1/media/{id}/retry", () =>
        {
            Retries++;
            return Results.Accepted();
        }).AllowAnyone();
    }

    private void Tell(string text) => listeners.ForEach(l => l.Writer.TryWrite(text));

    private async Task EventsAsync(HttpContext context)
    {
        var mine = Channel.CreateUnbounded<string>();
        lock (turn)
        {
            if (media is null)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            mine.Writer.TryWrite($"event: media\ndata: {media}\n\n");
            listeners.Add(mine);
        }

        context.Response.ContentType = "text/event-stream";
        await foreach (var text in mine.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
