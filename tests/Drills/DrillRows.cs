namespace Hexcast.Drills;

/// <summary>What half of the rounds and nearly all of them (p99) have to keep.</summary>
internal sealed record Limits(double? HalfSeconds, double MostSeconds);

/// <summary>docs/drills/cluster.md: a line a row and coordinator, each with the commit that it ran on.</summary>
internal static class DrillRows
{
    private static readonly string[] Head =
    [
        "# Drill: cluster",
        "",
        "The fault matrix on real processes, by `./hexcast drill cluster [ROW [COORDINATOR]]`: seconds, as each fault",
        "says, and the limits of p50 and p99 where there are any. A line is only there if the invariants held in every",
        "round ([what is checked](../operations/cluster.md#faults)).",
        "",
        "| row | coordinator | fault | times | p50 | p99 | longest | limits | run |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ];

    /// <returns>Whether the limits were kept; the line says so too.</returns>
    public static async Task<bool> SaveAsync(
        string row, string coordinator, string fault, List<double> seconds, Limits? limits = null)
    {
        seconds.Sort();
        var (half, most) = (At(seconds, 0.5), At(seconds, 0.99));
        var isMet = limits is null || (half <= (limits.HalfSeconds ?? half) && most <= limits.MostSeconds);
        var told = limits is null ? ""
            : $"{(limits.HalfSeconds is { } first ? $"{first} / " : "")}{limits.MostSeconds}: " +
                (isMet ? "met" : "**not met**");
        var root = DrillReport.Root();
        var (commit, _) = await Clips.RunAsync("git", ["-C", root, "rev-parse", "--short", "HEAD"]);
        var key = $"| {row} | {coordinator} |";
        var line = $"{key} {fault} | {seconds.Count} | {half:0.00} | {most:0.00} | {seconds[^1]:0.00} | {told} " +
            $"| {TimeProvider.System.GetUtcNow():yyyy-MM-dd} at {commit.Trim()} |";
        var path = Path.Combine(root, "docs", "drills", "cluster.md");
        var others = File.Exists(path)
            ? (await File.ReadAllLinesAsync(path)).Skip(Head.Length).Where(other => !other.StartsWith(key)).ToList()
            : [];
        await File.WriteAllLinesAsync(path, [.. Head, .. others.Append(line).Order(StringComparer.Ordinal)]);
        Console.WriteLine(line);
        return isMet;
    }

    private static double At(List<double> sorted, double share) =>
        sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * share)];
}
