using System.Diagnostics;
using System.Diagnostics.Metrics;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Playback;

/// <summary>
/// A span: first play, in the trace of the upload. Requests below /play have none of their own: there are too many.
/// What is counted for each of them costs no allocation.
/// </summary>
internal static class PlaybackTelemetry
{
    public static readonly KeyValuePair<string, object?> Manifest = new("object", "manifest");
    public static readonly KeyValuePair<string, object?> Segment = new("object", "segment");
    public static readonly KeyValuePair<string, object?> Init = new("object", "init");

    private static readonly KeyValuePair<string, object?> Hit = new("result", "hit");
    private static readonly KeyValuePair<string, object?> Miss = new("result", "miss");

    private static readonly ActivitySource Source = new("Hexcast.Playback");
    private static readonly Meter Meter = new("Hexcast.Playback");

    private static readonly Histogram<double> Latency = Meter.CreateHistogram(
        "hls.segment.latency", "s", "From a request below /play until its last byte was handed to the server",
        tags: null, Buckets.Fast);

    private static readonly Counter<long> Sent = Meter.CreateCounter<long>(
        "playback.sent", "By", "Bytes of segments and images that were sent");

    private static readonly Counter<long> Lookups = Meter.CreateCounter<long>(
        "playback.cache.lookups", "{lookup}", "Looks into the cache of versions, by result");

    private static readonly Counter<long> Plays = Meter.CreateCounter<long>(
        "playback.first_plays", "{version}", "Versions that were played for the first time");

    /// <summary>A counter that was never needed is 0, not absent: alerts count on it.</summary>
    public static void Zero()
    {
        Sent.Add(0);
        Plays.Add(0);
        Lookups.Add(0, Hit);
        Lookups.Add(0, Miss);
    }

    public static void NoteServed(KeyValuePair<string, object?> what, TimeSpan took) =>
        Latency.Record(took.TotalSeconds, what);

    public static void NoteSent(long bytes) => Sent.Add(bytes);

    public static void NoteLookup(bool hit) => Lookups.Add(1, hit ? Hit : Miss);

    public static void NoteFirst(FirstPlay play)
    {
        Plays.Add(1);
        var parent = TraceContexts.Parse(play.Version.Traceparent);
        if (parent.IsValid())
        {
            using var span = Source.StartActivity("first play", ActivityKind.Server, parent, startTime: play.Began)
                ?.SetTag(SpanTags.MediaId, play.Version.MediaId.ToString())
                .SetTag("hexcast.version", play.Version.Version)
                .SetTag("hexcast.play.object", play.What)
                .SetEndTime((play.Began + play.Took).UtcDateTime);
        }
    }
}
