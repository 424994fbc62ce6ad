using Hexcast.Contracts;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Hexcast.Catalog.Http;

/// <summary>
/// Server-sent events of one media. Nothing is queued for a client: when it has taken the last event it gets the newest
/// state, so that a slow one misses steps in between and never the end.
/// </summary>
internal sealed class MediaEvents(CatalogStore store, MediaChanges changes, TimeProvider clock)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    public async Task StreamAsync(HttpContext context, [FromRoute(Name = "media_id")] string id)
    {
        store.FindFor(context.Principal(), id);
        using var watcher = changes.Watch(id)
            ?? throw new HexcastException(ErrorCodes.ResourceExhausted, "Too many watch the catalog.");
        await EventStream.AnswerAsync(context, stream => TellAsync(stream, id, watcher));
    }

    private async Task TellAsync(EventStream stream, string mediaId, MediaChanges.Watcher watcher)
    {
        var sentVersion = 0L;
        ProgressReport? sentProgress = null;
        var progressAt = clock.GetTimestamp() - clock.TimestampFrequency;
        var wait = EventStream.Heartbeat;
        while (true)
        {
            var media = store.Read(connection => MediaTable.Find(connection, mediaId) is { } row
                ? row.ToAnswer(connection) : null);
            if (media is null)
            {
                await stream.SendAsync("deleted", ApiJson.Write(new { MediaId = mediaId }));
                return;
            }

            if (media.RowVersion > sentVersion)
            {
                await stream.SendAsync("media", ApiJson.Write(media));
                sentVersion = media.RowVersion;
            }

            var sinceProgress = clock.GetElapsedTime(progressAt);
            var progress = changes.Progress(mediaId);
            if (progress is not null && progress != sentProgress && sinceProgress >= ProgressInterval)
            {
                var tasks = progress.Tasks.Select(MediaConversion.ToAnswer);
                await stream.SendAsync("progress", ApiJson.Write(new { Tasks = tasks }));
                (sentProgress, progressAt) = (progress, clock.GetTimestamp());
            }

            wait = progress is null || progress == sentProgress
                ? EventStream.Heartbeat : ProgressInterval - sinceProgress;
            var woken = wait <= TimeSpan.Zero || await watcher.Changed.WaitAsync(wait, stream.Ends);
            if (!woken && wait == EventStream.Heartbeat)
            {
                await stream.BeatAsync();
            }
        }
    }
}
