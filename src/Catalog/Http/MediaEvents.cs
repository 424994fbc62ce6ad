using System.Text;
using System.Text.Json.Nodes;
using Hexcast.Contracts;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Catalog.Http;

/// <summary>
/// Server-sent events of one media. Nothing is queued for a client: when it has taken the last event it gets the newest
/// state, so that a slow one misses steps in between and never the end.
/// </summary>
internal sealed class MediaEvents(
    CatalogStore store, MediaChanges changes, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    public async Task StreamAsync(HttpContext context, string id)
    {
        if (!MediaId.TryParse(id, out _) || store.Find(id) is null)
        {
            throw new HexcastException(ErrorCodes.NotFound, $"There is no media '{id}'.");
        }

        using var watcher = changes.Watch(id)
            ?? throw new HexcastException(ErrorCodes.ResourceExhausted, "Too many watch the catalog.");
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, lifetime.ApplicationStopping);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await StreamAsync(context.Response, id, watcher, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // The client left, or the host stops: the client comes back by itself.
        }
    }

    private async Task StreamAsync(
        HttpResponse response, string mediaId, MediaChanges.Watcher watcher, CancellationToken ends)
    {
        var sentVersion = 0L;
        ProgressReport? sentProgress = null;
        var progressAt = clock.GetTimestamp() - clock.TimestampFrequency;
        var wait = Heartbeat;
        while (true)
        {
            var media = store.Read(connection => MediaTable.Find(connection, mediaId) is { } row
                ? (row.RowVersion, Json: MediaJson.Describe(row, connection))
                : default);
            if (media.Json is null)
            {
                await SendAsync(response, "deleted", new JsonObject { ["media_id"] = mediaId }, ends);
                return;
            }

            if (media.RowVersion > sentVersion)
            {
                await SendAsync(response, "media", media.Json, ends);
                sentVersion = media.RowVersion;
            }

            var sinceProgress = clock.GetElapsedTime(progressAt);
            var progress = changes.Progress(mediaId);
            if (progress is not null && progress != sentProgress && sinceProgress >= ProgressInterval)
            {
                var tasks = new JsonObject { ["tasks"] = MediaJson.Describe(progress.Tasks) };
                await SendAsync(response, "progress", tasks, ends);
                (sentProgress, progressAt) = (progress, clock.GetTimestamp());
            }

            wait = progress is null || progress == sentProgress ? Heartbeat : ProgressInterval - sinceProgress;
            var woken = wait <= TimeSpan.Zero || await watcher.Changed.WaitAsync(wait, ends);
            if (!woken && wait == Heartbeat)
            {
                await response.WriteAsync(": still here\n\n", ends);
                await response.Body.FlushAsync(ends);
            }
        }
    }

    private static async Task SendAsync(HttpResponse response, string name, JsonObject data, CancellationToken cancel)
    {
        var text = $"event: {name}\ndata: {data.ToJsonString()}\n\n";
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
        await response.Body.FlushAsync(cancel);
    }
}
