using System.Diagnostics;
using System.Diagnostics.Metrics;
using Dapper;
using Hexcast.Catalog.Delivery;
using Hexcast.Catalog.Versions;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Catalog;

/// <summary>
/// Spans: outbox {kind}, from the commit that made the row until its receiver has it; media {state}, when the media
/// reached it. Both belong to the media's trace.
/// </summary>
internal sealed class CatalogTelemetry : IScrapeProbe
{
    private static readonly ActivitySource Source = new("Hexcast.Catalog");
    private static readonly Meter Meter = new("Hexcast.Catalog");

    private static readonly Counter<long> Deliveries = Meter.CreateCounter<long>(
        "outbox.deliveries", "{delivery}", "Tries to deliver a row of the outbox");

    private static readonly Histogram<double> Reached = Meter.CreateHistogram(
        "media.time_to_state", "s", "From the end of an upload until the media can be played or is ready",
        tags: null, Buckets.Long);

    private readonly CatalogStore store;
    private readonly TimeProvider clock;
    private volatile Counts counts = new([], []);

    public CatalogTelemetry(CatalogStore store, IMeterFactory meters, TimeProvider clock)
    {
        (this.store, this.clock) = (store, clock);
        var meter = meters.Create("Hexcast.Catalog");
        meter.CreateObservableGauge(
            "catalog.media", () => counts.Media.Select(c => new Measurement<long>(c.Count, State(c.State))),
            "{media}", "Media by state");
        meter.CreateObservableGauge(
            "outbox.rows", () => counts.Outbox.Select(o => new Measurement<long>(o.Rows, Kind(o.Kind))),
            "{row}", "Rows of the outbox that wait for their receiver");
        meter.CreateObservableGauge(
            "outbox.oldest_age", () => counts.Outbox.Select(o => new Measurement<double>(o.Age, Kind(o.Kind))),
            "s", "How long the oldest row of the outbox waits");
    }

    private sealed record Counts(IReadOnlyList<(string State, long Count)> Media,
        IReadOnlyList<(string Kind, long Rows, double Age)> Outbox);

    public Task MeasureAsync(CancellationToken cancel)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        counts = store.Read(connection =>
        {
            var media = connection.Query<(string State, long Count)>(
                "SELECT state, count(*) FROM media GROUP BY state")
                .ToDictionary(row => row.State, row => row.Count, StringComparer.Ordinal);
            var outbox = connection.Query<(string Kind, long Rows, long Oldest)>(
                "SELECT kind, count(*), coalesce(min(nullif(created_at, 0)), @now) FROM outbox GROUP BY kind",
                new { now })
                .ToDictionary(row => row.Kind, StringComparer.Ordinal);
            return new Counts(
                [.. MediaStates.Names.Select(state => (state, media.GetValueOrDefault(state)))],
                [.. OutboxKinds.All.Select(kind => outbox.TryGetValue(kind, out var waiting)
                    ? (kind, waiting.Rows, Math.Max(0, now - waiting.Oldest) / 1000.0) : (kind, 0, 0))]);
        });
        return Task.CompletedTask;
    }

    /// <summary>A counter that was never needed is 0, not absent: alerts count on it.</summary>
    public static void Zero()
    {
        foreach (var kind in OutboxKinds.All)
        {
            NoteDelivery(kind, delivered: true, 0);
            NoteDelivery(kind, delivered: false, 0);
        }
    }

    public static Activity? Deliver(OutboxRow row, string traceparent) => TraceContexts.Parse(traceparent) is var parent
        && parent.IsValid()
            ? Source.StartActivity(
                $"outbox {row.Kind}", ActivityKind.Producer, parent,
                startTime: row.CreatedAt > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt) : default)
                ?.SetTag(SpanTags.MediaId, row.MediaId)
            : null;

    public static void NoteDelivery(string kind, bool delivered, int times = 1) => Deliveries.Add(
        times, Kind(kind), new KeyValuePair<string, object?>("outcome", delivered ? "ok" : "failed"));

    /// <summary>The media has reached a state by what its job has told.</summary>
    public static void NoteStage(
        MediaRow media, string jobId, VersionStage stage, DateTimeOffset began, DateTimeOffset now)
    {
        var state = stage.ToString().ToLowerInvariant();
        if (stage is VersionStage.Playable or VersionStage.Ready)
        {
            Reached.Record((now - DateTimeOffset.FromUnixTimeMilliseconds(media.CreatedAt)).TotalSeconds, State(state));
        }

        var parent = TraceContexts.Parse(media.Traceparent);
        if (parent.IsValid())
        {
            using var span = Source.StartActivity(
                $"media {state}", ActivityKind.Consumer, parent, startTime: began)
                ?.SetTag(SpanTags.MediaId, media.MediaId).SetTag(SpanTags.JobId, jobId);
        }
    }

    private static KeyValuePair<string, object?> State(string state) => new("state", state);

    private static KeyValuePair<string, object?> Kind(string kind) => new("kind", kind);
}
