using System.Globalization;

namespace Hexcast.Drills;

/// <summary>What half of the rounds and nearly all of them (p99) have to keep.</summary>
internal sealed record Limits(double? HalfSeconds, double MostSeconds)
{
    public static readonly Limits EmbeddedFailover = new(0.5, 1.5);
    public static readonly Limits EtcdFailover = new(2.5, 4);
    public static readonly Limits Elsewhere = new(null, 2);
    public static readonly Limits Healed = new(null, 2);
    public static readonly Limits FromNothing = new(null, 10);
}

/// <summary>docs/drills/cluster.md: a line a row and coordinator, each with the commit that it ran on.</summary>
internal static class DrillRows
{
    private static readonly string[] Head =
    [
        "# Drill: cluster",
        "",
        "The fault matrix on real processes, by `./hexcast drill cluster [ROW [COORDINATOR]]`: seconds, as each fault",
        "says, and the limits of p50 and p99, or of p99 alone, where there are any. A line is only there if the",
        "invariants held in every round ([what is checked](../operations/cluster.md#faults)). Of less than 100 rounds",
        "p99 is the longest; a run that was made shorter replaces no longer one.",
        "",
        "| row | coordinator | fault | times | p50 | p99 | longest | limits | run |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ];

    /// <param name="times">The rounds of a whole run.</param>
    /// <returns>Whether the limits were kept; the line says so too.</returns>
    public static async Task<bool> SaveAsync(
        string row, string coordinator, string fault, List<double> seconds, int times, Limits? limits = null)
    {
        var run = $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd} at {await DrillReport.CommitAsync()}";
        var (line, isMet) = LineOf(row, coordinator, fault, seconds, limits, run);
        var path = Path.Combine(DrillReport.Root(), "docs", "drills", "cluster.md");
        Console.WriteLine(line);
        if (Put(line, File.Exists(path) ? await File.ReadAllLinesAsync(path) : [], times) is { } page)
        {
            await File.WriteAllLinesAsync(path, page);
        }
        else
        {
            Console.WriteLine("not written: the line of a longer run stays");
        }

        return isMet;
    }

    public static (string Line, bool IsMet) LineOf(
        string row, string coordinator, string fault, IEnumerable<double> seconds, Limits? limits, string run)
    {
        var sorted = seconds.Order().ToList();
        var (half, most) = (At(sorted, 0.5), At(sorted, 0.99));
        var isMet = limits is null || (half <= (limits.HalfSeconds ?? half) && most <= limits.MostSeconds);
        var told = limits is null ? ""
            : $"{(limits.HalfSeconds is { } first ? $"{first} / " : "")}{limits.MostSeconds}: " +
                (isMet ? "met" : "**not met**");
        return (
            $"| {row} | {coordinator} | {fault} | {sorted.Count} | {half:0.00} | {most:0.00} | {sorted[^1]:0.00} " +
            $"| {told} | {run} |",
            isMet);
    }

    /// <summary>The page with this line, in place of the one of its row and coordinator.</summary>
    /// <param name="times">The rounds of a whole run. The line of a longer run outlives a shorter one.</param>
    /// <returns>Null: that one stays.</returns>
    public static IReadOnlyList<string>? Put(string line, IEnumerable<string> page, int times)
    {
        var there = page.SkipWhile(other => other != Head[^1]).Skip(1).Where(other => other.StartsWith('|')).ToList();
        var before = there.Find(other => KeyOf(other) == KeyOf(line));
        return before is not null && TimesIn(line) < Math.Min(times, TimesIn(before))
            ? null
            : [.. Head, .. there.Where(other => other != before).Append(line).Order(StringComparer.Ordinal)];
    }

    private static (string Row, string Coordinator) KeyOf(string line) => (CellsOf(line)[0], CellsOf(line)[1]);

    private static int TimesIn(string line) => int.Parse(CellsOf(line)[3], CultureInfo.InvariantCulture);

    private static string[] CellsOf(string line) => line.Split('|', StringSplitOptions.TrimEntries)[1..];

    private static double At(List<double> sorted, double share) =>
        sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * share)];
}
