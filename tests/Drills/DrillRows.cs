namespace Hexcast.Drills;

/// <summary>docs/drills/cluster.md: a line a row and coordinator, each with the commit that it ran on.</summary>
internal static class DrillRows
{
    private static readonly string[] Head =
    [
        "# Drill: cluster",
        "",
        "The fault matrix on real processes, by `./hexcast drill cluster [ROW]`: seconds, as each fault says. A line",
        "is only there if the invariants held in every round ([what is checked](../operations/cluster.md#faults)).",
        "",
        "| row | coordinator | fault | times | p50 | p99 | longest | run |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ];

    public static async Task SaveAsync(string row, string coordinator, string fault, List<double> seconds)
    {
        seconds.Sort();
        var root = DrillReport.Root();
        var (commit, _) = await Clips.RunAsync("git", ["-C", root, "rev-parse", "--short", "HEAD"]);
        var key = $"| {row} | {coordinator} |";
        var line = $"{key} {fault} | {seconds.Count} | {At(seconds, 0.5):0.00} | {At(seconds, 0.99):0.00} " +
            $"| {seconds[^1]:0.00} | {TimeProvider.System.GetUtcNow():yyyy-MM-dd} at {commit.Trim()} |";
        var path = Path.Combine(root, "docs", "drills", "cluster.md");
        var others = File.Exists(path)
            ? (await File.ReadAllLinesAsync(path)).Skip(Head.Length).Where(other => !other.StartsWith(key)).ToList()
            : [];
        await File.WriteAllLinesAsync(path, [.. Head, .. others.Append(line).Order(StringComparer.Ordinal)]);
        Console.WriteLine(line);
    }

    private static double At(List<double> sorted, double share) =>
        sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * share)];
}
