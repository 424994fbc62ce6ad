using Dapper;
using Hexcast.Platform.Access;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog.Http;

/// <summary>
/// GET /v1/events: server-sent events of every media, for pages that show many. It begins with now; what a media is
/// like, the list says. Nothing is queued: a slow reader misses steps in between, never the last.
/// </summary>
internal sealed class LibraryEvents(CatalogStore store, MediaChanges changes, TimeProvider clock)
{
    private const int ChangePageSize = 100;
    private const int ProgressLimit = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public async Task StreamAsync(HttpContext context)
    {
        using var watcher = changes.Watch("", progress: true)
            ?? throw new HexcastException(ErrorCodes.ResourceExhausted, "Too many watch the catalog.");
        await EventStream.AnswerAsync(context, stream => TellAsync(stream, context.Principal(), watcher));
    }

    private async Task TellAsync(EventStream stream, Principal principal, MediaChanges.Watcher watcher)
    {
        var cursor = store.Read(connection =>
            connection.ExecuteScalar<long>("SELECT coalesce(max(sequence), 0) FROM change"));
        var told = new Dictionary<string, ProgressReport>(StringComparer.Ordinal);
        await stream.BeatAsync();
        while (true)
        {
            var page = store.Read(connection => ChangesAfter(connection, cursor));
            foreach (var (sequence, tenant, name, data) in page)
            {
                if (principal.Sees(tenant))
                {
                    await stream.SendAsync(name, data);
                }

                cursor = sequence;
            }

            if (page.Count == ChangePageSize)
            {
                continue;
            }

            await TellProgressAsync(stream, principal, told);
            // What happens within the interval is told together at its end.
            await Task.Delay(Interval, clock, stream.Ends);
            if (!await watcher.Changed.WaitAsync(EventStream.Heartbeat, stream.Ends))
            {
                await stream.BeatAsync();
            }
        }
    }

    private async Task TellProgressAsync(
        EventStream stream, Principal principal, Dictionary<string, ProgressReport> told)
    {
        var running = changes.Running.Take(ProgressLimit).ToDictionary(StringComparer.Ordinal);
        foreach (var ended in told.Keys.Except(running.Keys, StringComparer.Ordinal).ToList())
        {
            told.Remove(ended);
        }

        foreach (var (mediaId, report) in running)
        {
            if (ReferenceEquals(told.GetValueOrDefault(mediaId), report)
                || store.Find(mediaId) is not { } media || !principal.Sees(media.Tenant))
            {
                continue;
            }

            var (fraction, stage) = JobFraction.Of(report.Tasks);
            await stream.SendAsync(
                "progress", ApiJson.Write(new { MediaId = mediaId, Fraction = fraction, Stage = stage }));
            told[mediaId] = report;
        }
    }

    private static List<(long Sequence, string Tenant, string Name, string Data)> ChangesAfter(
        SqliteConnection connection, long cursor) =>
    [
        .. connection.Query<(long Sequence, string MediaId, string Tenant)>(
            """
            SELECT sequence, media_id, tenant FROM change WHERE sequence > @cursor
            ORDER BY sequence LIMIT @ChangePageSize
            """,
            new { cursor, ChangePageSize })
            .Select(change => MediaTable.Find(connection, change.MediaId) is { } media
                ? (change.Sequence, change.Tenant, "media", ApiJson.Write(media.ToAnswer(connection)))
                : (change.Sequence, change.Tenant, "deleted", ApiJson.Write(new { change.MediaId }))),
    ];
}
