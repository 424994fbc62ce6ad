using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Platform.Http;

/// <summary>
/// An answer of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). A client whose
/// stream ends comes back by itself.
/// </summary>
public sealed class EventStream
{
    /// <summary>Silence for so long is broken by a comment, so that proxies keep the connection.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private readonly Stream body;

    private EventStream(Stream body, CancellationToken ends)
    {
        this.body = body;
        Ends = ends;
    }

    /// <summary>The client leaves, its credential is worth nothing any more, or the host stops.</summary>
    public CancellationToken Ends { get; }

    /// <summary>Tells until <see cref="Ends"/>, or until <paramref name="tell"/> has said all.</summary>
    public static async Task AnswerAsync(HttpContext context, Func<EventStream, Task> tell)
    {
        var lifetime = context.RequestServices.GetRequiredService<IHostApplicationLifetime>();
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, lifetime.ApplicationStopping);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await tell(new EventStream(context.Response.Body, ends.Token));
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
        }
    }

    /// <param name="name">Of the event.</param>
    /// <param name="json">On one line.</param>
    public Task SendAsync(string name, string json) => WriteAsync($"event: {name}\ndata: {json}\n\n");

    public Task BeatAsync() => WriteAsync(": still here\n\n");

    private async Task WriteAsync(string text)
    {
        await body.WriteAsync(Encoding.UTF8.GetBytes(text), Ends);
        await body.FlushAsync(Ends);
    }
}
