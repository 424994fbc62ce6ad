using System.Diagnostics.Metrics;
using Hexcast.Platform.Telemetry;

namespace Hexcast.Coordination;

/// <summary>What the embedded coordinator tells of itself. Its core knows nothing of it: the loop around it measures.
/// </summary>
internal static class CoordinationTelemetry
{
    private static readonly Meter Meter = new("Hexcast.Coordination");

    private static readonly Histogram<double> Sync = Meter.CreateHistogram(
        "coordinator.fsync.duration", "s", "How long one batch of the log took to be written and synced",
        tags: null, Buckets.Disk);

    private static readonly Counter<long> Entries = Meter.CreateCounter<long>(
        "coordinator.log.appended", "{entry}", "Entries that became durable");

    private static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "coordinator.log.refused", "{batch}", "Batches that the disk had no space for");

    private static readonly Gauge<long> LogEntries = Meter.CreateGauge<long>(
        "coordinator.log.entries", "{entry}", "Entries since the last snapshot");

    private static readonly Gauge<long> StoreBytes = Meter.CreateGauge<long>(
        "coordinator.store", "By", "What keys, values and history take");

    private static readonly Gauge<long> Revision = Meter.CreateGauge<long>(
        "coordinator.revision", "{revision}", "The newest revision");

    private static readonly Gauge<int> Watches = Meter.CreateGauge<int>(
        "coordinator.watches", "{watch}", "Watches that are open");

    private static readonly Gauge<long> Term = Meter.CreateGauge<long>(
        "coordinator.term", "{term}", "The newest term that this member has heard of");

    private static readonly Gauge<int> Leads = Meter.CreateGauge<int>(
        "coordinator.leads", unit: null, "1 where this member leads the others");

    private static readonly Gauge<int> HasLeader = Meter.CreateGauge<int>(
        "coordinator.has_leader", unit: null, "1 while this member hears a leader, or is it");

    private static readonly Gauge<int> Voters = Meter.CreateGauge<int>(
        "coordinator.voters", "{member}", "Members that vote, whether they answer or not");

    private static readonly Gauge<long> StoreLimit = Meter.CreateGauge<long>(
        "coordinator.store.limit", "By", "Coordination:MaximumStoreMebibytes: beyond it writes are refused");

    private static volatile Embedded.CoordinatorFigures latest = new();

    static CoordinationTelemetry()
    {
        Meter.CreateObservableCounter(
            "coordinator.store.refused", () => latest.RefusedForSize, "{write}",
            "Writes that this node refused while it led, for the store has its full size");
        // Who leads no more says nothing of the others, rather than what was once true.
        Meter.CreateObservableGauge(
            "coordinator.member.lag_entries",
            () => latest.Lags.Select(lag => new Measurement<long>(
                lag.Entries, new KeyValuePair<string, object?>("node", lag.Node))),
            "{entry}", "On the node that leads: entries of the log that the member has not on its disk");
    }

    /// <summary>A counter that was never needed is 0, not absent: alerts count on it.</summary>
    public static void Zero() => Refused.Add(0);

    public static void NoteSync(TimeSpan took, int entries, bool stored)
    {
        Sync.Record(took.TotalSeconds);
        if (stored)
        {
            Entries.Add(entries);
        }
        else
        {
            Refused.Add(1);
        }
    }

    public static void Note(Embedded.CoordinatorFigures figures)
    {
        LogEntries.Record(figures.LogEntries);
        StoreBytes.Record(figures.StoreBytes);
        Revision.Record(figures.Revision);
        Watches.Record(figures.Watches);
        Term.Record(figures.Term);
        Leads.Record(figures.Leads ? 1 : 0);
        HasLeader.Record(figures.HasLeader ? 1 : 0);
        Voters.Record(figures.Voters);
        StoreLimit.Record(figures.StoreLimitBytes);
        latest = figures;
    }
}
