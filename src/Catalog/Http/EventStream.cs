using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hexcast.Catalog.Http;

/// <summary>An answer of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).</summary>
internal readonly struct EventStream(HttpResponse response)
{
    /// <summary>Silence for so long is broken by a comment, so that proxies keep the connection.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public static EventStream Begin(HttpContext context)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        return new EventStream(context.Response);
    }

    public Task SendAsync(string name, JsonObject data, CancellationToken cancel) =>
        WriteAsync($"event: {name}\ndata: {data.ToJsonString()}\n\n", cancel);

    public Task BeatAsync(CancellationToken cancel) => WriteAsync(": still here\n\n", cancel);

    private async Task WriteAsync(string text, CancellationToken cancel)
    {
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
        await response.Body.FlushAsync(cancel);
    }
}
