using System.Text;
using System.Text.Json;

namespace Hexcast.Bench;

/// <summary>What a benchmark prints: a table for people, itself as JSON for programs.</summary>
internal interface IReport
{
    string Table();
}

/// <summary>Pairs of measurements, ours and a peer's, taken in turn; the ratio is judged pair by pair.</summary>
internal sealed record Figures(
    string Name, string Ours, string Peer, string Unit, Aim Aim, IReadOnlyList<Pair> Pairs,
    IReadOnlyList<string> Notes) : IReport
{
    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public double MedianRatio => Median(Pairs.Select(p => p.Ratio));

    public string Table()
    {
        var text = new StringBuilder();
        text.AppendLine($"{Name}: {Ours} against {Peer}, {Pairs.Count} pairs in turn");
        text.AppendLine();
        text.AppendLine($"| pair | ours ({Unit}) | peer ({Unit}) | ratio |");
        text.AppendLine("| --- | --- | --- | --- |");
        foreach (var (pair, index) in Pairs.Select((p, i) => (p, i + 1)))
        {
            text.AppendLine($"| {index} | {pair.Ours:0.00} | {pair.Peer:0.00} | {pair.Ratio:0.000} |");
        }

        text.AppendLine(
            $"| **median** | {Median(Pairs.Select(p => p.Ours)):0.00} | {Median(Pairs.Select(p => p.Peer)):0.00} " +
            $"| **{MedianRatio:0.000}** (aim {Aim}) |");
        text.AppendLine();
        foreach (var note in Notes)
        {
            text.AppendLine($"- {note}");
        }

        return text.ToString();
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1
            ? sorted[sorted.Length / 2]
            : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}

internal sealed record Pair(double Ours, double Peer)
{
    public double Ratio => Ours / Peer;
}

/// <summary>Where a ratio should lie: at most for times and bytes, at least for rates.</summary>
internal sealed record Aim(string Side, double Ratio)
{
    public static Aim AtMost(double ratio) => new("≤", ratio);

    public static Aim AtLeast(double ratio) => new("≥", ratio);

    public override string ToString() => $"{Side} {Ratio}";
}
