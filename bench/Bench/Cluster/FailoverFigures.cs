using System.Text;

namespace Hexcast.Bench.Cluster;

/// <param name="Coordinator">Of the cluster.</param>
/// <param name="Peer">What the time is measured against.</param>
/// <param name="PeerTime">How long that is.</param>
/// <param name="Aim">As many times that, at most.</param>
/// <param name="Seconds">Without a master, each time.</param>
internal sealed record FailoverRow(
    string Coordinator, string Peer, TimeSpan PeerTime, double Aim, IReadOnlyList<double> Seconds)
{
    public double Ratio => At(0.5) / PeerTime.TotalSeconds;

    public double At(double share) =>
        Seconds.Order().ElementAt(Math.Min(Seconds.Count - 1, (int)(Seconds.Count * share)));
}

internal sealed record FailoverFigures(IReadOnlyList<FailoverRow> Rows) : IReport
{
    public string Table()
    {
        var text = new StringBuilder();
        text.AppendLine("failover: seconds without a master after a kill -9 of it, under load");
        text.AppendLine();
        text.AppendLine("| coordinator | kills | p10 | p50 | p90 | p99 | longest | p50 against |");
        text.AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var row in Rows)
        {
            text.AppendLine(
                $"| {row.Coordinator} | {row.Seconds.Count} | {row.At(0.1):0.00} | {row.At(0.5):0.00} " +
                $"| {row.At(0.9):0.00} | {row.At(0.99):0.00} | {row.At(1):0.00} " +
                $"| **{row.Ratio:0.00}** of the {row.Peer} of {row.PeerTime.TotalSeconds:0.0} s (aim ≤ {row.Aim}) |");
        }

        text.AppendLine();
        text.AppendLine("- from the kill to another master's first answer that follows from a durable write");
        return text.ToString();
    }
}
