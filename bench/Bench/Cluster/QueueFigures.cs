using System.Text;

namespace Hexcast.Bench.Cluster;

/// <param name="Queued">Tasks that wait.</param>
/// <param name="ScheduledPerSecond">While the queue was filled.</param>
/// <param name="CyclesPerSecond">Schedule, assign, report, commit.</param>
/// <param name="RatioToPuts">To puts into etcd.</param>
/// <param name="MasterMebibytes">Resident: scheduler and coordinator.</param>
/// <param name="FollowerMebibytes">Resident, of the other voters: the coordinator alone.</param>
internal sealed record QueueRow(
    int Queued, double ScheduledPerSecond, double CyclesPerSecond, double RatioToPuts, double MasterMebibytes,
    double FollowerMebibytes);

/// <summary>What a long queue costs.</summary>
internal sealed record QueueFigures(IReadOnlyList<QueueRow> Rows) : IReport
{
    private const double Mebibyte = 1 << 20;

    /// <summary>What a queued task adds to the master's node.</summary>
    public double BytesPerTask => Per(row => row.MasterMebibytes);

    /// <summary>Of that, what the coordinator holds, as every voter does.</summary>
    public double CoordinatorBytesPerTask => Per(row => row.FollowerMebibytes);

    public string Table()
    {
        var text = new StringBuilder();
        text.AppendLine("queue: what tasks that wait cost the master");
        text.AppendLine();
        text.AppendLine(
            "| queued | cycles/s | of the first | master, MiB | other voters, MiB | filled at, tasks/s |");
        text.AppendLine("| --- | --- | --- | --- | --- | --- |");
        foreach (var row in Rows)
        {
            text.AppendLine(
                $"| {row.Queued} | {row.CyclesPerSecond:0} | {row.CyclesPerSecond / Rows[0].CyclesPerSecond:0.00} " +
                $"| {row.MasterMebibytes:0} | {row.FollowerMebibytes:0} | {row.ScheduledPerSecond:0} |");
        }

        text.AppendLine();
        text.AppendLine(
            $"- a queued task adds {BytesPerTask:0} bytes to the master's node, and {CoordinatorBytesPerTask:0} to " +
            "every other voter's: the records themselves");
        return text.ToString();
    }

    private double Per(Func<QueueRow, double> memory) =>
        (memory(Rows[^1]) - memory(Rows[0])) * Mebibyte / (Rows[^1].Queued - Rows[0].Queued);
}
