using System.Text;

namespace Hexcast.Bench.Cluster;

/// <param name="Jobs">Ordered at once.</param>
/// <param name="Tasks">Of all of them.</param>
/// <param name="Seconds">Until the last had ended.</param>
/// <param name="BoundSeconds">The longer of the critical path and the work of one worker.</param>
internal sealed record MakespanRun(int Jobs, int Tasks, double Seconds, double BoundSeconds)
{
    public double Ratio => Seconds / BoundSeconds;
}

internal sealed record MakespanRow(string Name, IReadOnlyList<MakespanRun> Runs)
{
    public double At(double share) => Runs.Select(run => run.Ratio).Order()
        .ElementAt(Math.Min(Runs.Count - 1, (int)(Runs.Count * share)));
}

internal sealed record MakespanFigures(int Workers, double Aim, IReadOnlyList<MakespanRow> Rows) : IReport
{
    public string Table()
    {
        var text = new StringBuilder();
        text.AppendLine($"makespan: random jobs on {Workers} workers against max(critical path, work / {Workers})");
        text.AppendLine();
        text.AppendLine($"| ordered at once | runs | tasks, median | median | p90 | longest | within {Aim} |");
        text.AppendLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var row in Rows)
        {
            var within = row.Runs.Count(run => run.Ratio <= Aim) / (double)row.Runs.Count;
            text.AppendLine(
                $"| {row.Name} | {row.Runs.Count} | {Figures.Median(row.Runs.Select(run => (double)run.Tasks)):0} " +
                $"| **{row.At(0.5):0.000}** | {row.At(0.9):0.000} | {row.At(1):0.000} | {within:P0} |");
        }

        text.AppendLine();
        text.AppendLine("- the real scheduler in simulated time; the encoder only waits: a run repeats exactly");
        return text.ToString();
    }
}
