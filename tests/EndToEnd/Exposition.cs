using System.Text.RegularExpressions;

namespace Hexcast.EndToEnd;

/// <summary>What /metrics has said, as far as the tests look at it.</summary>
internal sealed partial class Exposition
{
    private readonly string[] lines;

    public Exposition(string text)
    {
        lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Families = [.. lines.Where(l => l.StartsWith("# TYPE ")).Select(l => l.Split(' ')[2])];
        Series = [.. lines.Where(l => l[0] != '#').Select(l => l[..l.LastIndexOf(' ')])];
        Labels = [.. Series.SelectMany(s => Label().Matches(s)).Select(m => m.Groups["name"].Value).Distinct()];
    }

    /// <summary>The names that # TYPE has.</summary>
    public IReadOnlyList<string> Families { get; }

    public IReadOnlyList<string> Series { get; }

    public IReadOnlyList<string> Labels { get; }

    /// <summary>The value of the one series that begins so.</summary>
    public double Value(string series) => double.Parse(
        lines.Where(l => l.StartsWith(series + " ", StringComparison.Ordinal)).ShouldHaveSingleItem(series)
            .Split(' ')[^1],
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The family that a name in an expression means: h_bucket, h_sum and h_count are h.</summary>
    public bool Has(string name) => Families.Contains(name)
        || (Histogram().Match(name) is { Success: true } part && Families.Contains(part.Groups["family"].Value));

    [GeneratedRegex("[{,](?<name>[a-z_]+)=\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Label();

    [GeneratedRegex("^(?<family>[a-z_]+)_(bucket|sum|count)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Histogram();
}
