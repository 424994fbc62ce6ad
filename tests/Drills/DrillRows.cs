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

    /// <param name="times">The rounds of a whole run. The line of a longer run outlives a shorter one.</param>
    /// <returns>Whether the limits were kept; the line says so too.</returns>
    public static async Task<bool> SaveAsync(
        string row, string coordinator, string fault, List<double> seconds, int times, Limits? limits = null)
    {
        seconds.Sort();
        var (half, most) = (At(seconds, 0.5), At(seconds, 0.99));
        var isMet = limits is null || (half <= (limits.HalfSeconds ?? half) && most <= limits.MostSeconds);
        var told = limits is null ? ""
            : $"{(limits.HalfSeconds is { } first ? $"{first} / " : "")}{limits.MostSeconds}: " +
                (isMet ? "met" : "**not met**");
        var root = DrillReport.Root();
        var key = $"| {row} | {coordinator} |";
        var line = $"{key} {fault} | {seconds.Count} | {half:0.00} | {most:0.00} | {seconds[^1]:0.00} | {told} " +
            $"| {TimeProvider.System.GetUtcNow():yyyy-MM-dd} at {await DrillReport.CommitAsync()} |";
        var path = Path.Combine(root, "docs", "drills", "cluster.md");
        var there = File.Exists(path) ? await RowsInAsync(path) : [];
        Console.WriteLine(line);
        if (seconds.Count < times && there.Find(other => other.StartsWith(key)) is { } longer
            && TimesIn(longer) > seconds.Count)
        {
            Console.WriteLine($"not written, for there is a longer run: {longer}");
            return isMet;
        }

        var others = there.Where(other => !other.StartsWith(key));
        await File.WriteAllLinesAsync(path, [.. Head, .. others.Append(line).Order(StringComparer.Ordinal)]);
        return isMet;
    }

    private static async Task<List<string>> RowsInAsync(string path) =>
        [.. (await File.ReadAllLinesAsync(path)).SkipWhile(line => line != Head[^1]).Skip(1)];

    private static int TimesIn(string line) =>
        int.Parse(line.Split('|', StringSplitOptions.TrimEntries)[4], CultureInfo.InvariantCulture);

    private static double At(List<double> sorted, double share) =>
        sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * share)];
}
