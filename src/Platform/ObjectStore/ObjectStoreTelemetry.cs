using System.Diagnostics.Metrics;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Platform.ObjectStore;

/// <summary>How long the store takes for what it must make durable, and how much it takes in.</summary>
internal static class ObjectStoreTelemetry
{
    private static readonly Meter Meter = new("Hexcast.ObjectStore");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "object_store.operation.duration", "s", "How long operations of the object store took",
        tags: null, Buckets.Disk);

    private static readonly Counter<long> Written = Meter.CreateCounter<long>(
        "object_store.written", "By", "Bytes of objects that became durable");

    private static readonly Counter<long> Opened = Meter.CreateCounter<long>(
        "object_store.reads", "{read}", "Objects that were opened to be read");

    /// <summary>A counter that was never needed is 0, not absent: alerts count on it.</summary>
    public static void Zero()
    {
        Written.Add(0);
        Opened.Add(0);
    }

    public static void Note(string operation, TimeSpan took) =>
        Duration.Record(took.TotalSeconds, new KeyValuePair<string, object?>("operation", operation));

    public static void NoteWritten(long bytes) => Written.Add(bytes);

    public static void NoteOpened() => Opened.Add(1);
}
