using System.Diagnostics;
using System.Diagnostics.Metrics;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Upload;

/// <summary>
/// Spans: upload.receive, a request's body; upload.publish, from the last byte to Catalog's answer. Both belong to the
/// trace that the upload's first request began, which the journal keeps.
/// </summary>
internal static class UploadTelemetry
{
    private static readonly ActivitySource Source = new("Hexcast.Upload");
    private static readonly Meter Meter = new("Hexcast.Upload");

    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>(
        "upload.received", "By", "Bytes of uploads that became durable");

    private static readonly UpDownCounter<long> Active = Meter.CreateUpDownCounter<long>(
        "upload.requests.active", "{request}", "Requests whose body is being received");

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "upload.requests", "{request}", "Bodies that were received, by how they ended");

    private static readonly Counter<long> Published = Meter.CreateCounter<long>(
        "upload.published", "{upload}", "Whole uploads handed to Catalog, by outcome");

    private static readonly Histogram<double> Seconds = Meter.CreateHistogram(
        "upload.duration", "s", "From an upload's creation until Catalog has it", tags: null, Buckets.Long);

    /// <summary>A counter that was never needed is 0, not absent: alerts count on it.</summary>
    public static void Zero()
    {
        Bytes.Add(0);
        Active.Add(0);
        foreach (var outcome in (string[])["ok", "failed"])
        {
            Published.Add(0, new KeyValuePair<string, object?>("outcome", outcome));
        }

        foreach (var end in Enum.GetValues<BodyEnd>())
        {
            Requests.Add(0, new KeyValuePair<string, object?>("outcome", Name(end)));
        }
    }

    private static string Name(BodyEnd end) => end.ToString().ToLowerInvariant();

    public static Reception Receive(UploadDescription upload, long offset) => new(upload, offset);

    /// <summary>Under the request that brought the last byte; under the upload's own context after a restart.</summary>
    public static Activity? Publish(UploadDescription upload)
    {
        var stored = TraceContexts.Parse(upload.Traceparent);
        var inside = Activity.Current is { } request && request.TraceId == stored.TraceId;
        return Source.StartActivity("upload.publish", ActivityKind.Internal, inside ? default : stored)
            ?.SetTag(SpanTags.MediaId, upload.MediaId);
    }

    public static void NotePublished(UploadDescription upload, DateTimeOffset now)
    {
        Published.Add(1, new KeyValuePair<string, object?>("outcome", "ok"));
        Seconds.Record((now - upload.CreatedAt).TotalSeconds);
    }

    public static void NotePublishFailed() =>
        Published.Add(1, new KeyValuePair<string, object?>("outcome", "failed"));

    /// <summary>One body, from its first byte to its end.</summary>
    internal sealed class Reception : IDisposable
    {
        private readonly Activity? span;
        private readonly long offset;
        private string outcome = "failed";

        public Reception(UploadDescription upload, long offset)
        {
            this.offset = offset;
            span = Source.StartActivity("upload.receive")
                ?.SetTag(SpanTags.MediaId, upload.MediaId).SetTag("hexcast.upload.offset", offset);
            Active.Add(1);
        }

        public void End(BodyEnd end, long reached)
        {
            outcome = Name(end);
            Bytes.Add(reached - offset);
            span?.SetTag("hexcast.upload.bytes", reached - offset);
        }

        public void Dispose()
        {
            Active.Add(-1);
            Requests.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
            span?.SetTag(SpanTags.Outcome, outcome);
            span?.Dispose();
        }
    }
}
