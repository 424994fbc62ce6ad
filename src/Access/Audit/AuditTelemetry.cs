using System.Diagnostics.Metrics;

namespace Hexcast.Access.Audit;

/// <summary>Whether what was done is written down.</summary>
internal static class AuditTelemetry
{
    private static readonly Meter Meter = new("Hexcast.Access");

    private static readonly Gauge<int> Kept = Meter.CreateGauge<int>(
        "audit.entries.waiting", "{entry}", "Entries of the audit log that the disk has not taken");

    private static readonly Counter<long> Lost = Meter.CreateCounter<long>(
        "audit.entries.lost", "{entry}", "Entries of the audit log that were given up: too many waited");

    /// <summary>A metric that was never needed is 0, not absent: alerts look at it.</summary>
    public static void Zero()
    {
        NoteKept(0);
        Lost.Add(0);
    }

    public static void NoteKept(int entries) => Kept.Record(entries);

    public static void NoteLost() => Lost.Add(1);
}
