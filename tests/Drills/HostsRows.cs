namespace Hexcast.Drills;

/// <summary>A row of the fault matrix on nodes that each have a host of their own.</summary>
/// <param name="Round">Gets its number, from 0.</param>
internal sealed record HostsRow<T>(
    string Name, string Fault, Func<T, int, Task<TimeSpan>> Round, int Times = 10, Limits? Limits = null);

/// <summary>Rows that share what they run on.</summary>
internal static class HostsRows
{
    /// <summary>Those that both coordinators have.</summary>
    public static IReadOnlyList<HostsRow<T>> Shared<T>()
        where T : FaultyHosts =>
        [
            new("cut-out", "no other member hears the one that leads; healed",
                (hosts, _) => HostFaults.CutLeaderAsync(hosts, isHeard: false, hears: true), Limits: Limits.Healed),
            new("cut-in", "the member that leads hears no other; healed",
                (hosts, _) => HostFaults.CutLeaderAsync(hosts, isHeard: true, hears: false), Limits: Limits.Healed),
            new("cut-off", "the member that leads is cut off from the others; healed",
                (hosts, _) => HostFaults.CutLeaderAsync(hosts, isHeard: false, hears: false), Limits: Limits.Healed),
            new("third-sees-both", "the member that leads and another do not see each other, a third sees both; healed",
                (hosts, _) => HostFaults.CutOneOffLeaderAsync(hosts), Limits: Limits.Healed),
            new("clock", "nodes' clocks an hour off, either way, and right again: how long a lease of 12 s lasts",
                (hosts, i) => HostFaults.SetClocksAsync(hosts, isForward: i % 2 == 0)),
        ];

    /// <param name="coordinator">As the lines name it.</param>
    /// <param name="rows">All that there are.</param>
    /// <param name="only">Of these the one to run, or null: all.</param>
    /// <param name="hindrance">Why none can be run here, or null. Of all rows these are left out then.</param>
    /// <param name="start">Starts what they run on.</param>
    /// <returns>Whether all limits were kept.</returns>
    public static async Task<bool> RunAsync<T>(
        string coordinator, IEnumerable<HostsRow<T>> rows, string? only, string? hindrance, Func<Task<T>> start)
        where T : IAsyncDisposable
    {
        var chosen = rows.Where(row => only is null || row.Name == only).ToList();
        if (chosen.Count == 0)
        {
            return true;
        }

        if (hindrance is not null)
        {
            var names = string.Join(", ", chosen.Select(row => row.Name));
            Console.Error.WriteLine($"not run, {coordinator}: {names}: {hindrance}");
            return true;
        }

        await using var hosts = await start();
        var isMet = true;
        foreach (var row in chosen)
        {
            var (seconds, times) = (new List<double>(), ClusterDrill.Times(row.Times));
            for (var i = 0; i < times; i++)
            {
                seconds.Add((await row.Round(hosts, i)).TotalSeconds);
                Console.WriteLine($"{coordinator}, {row.Name}: {seconds.Count} of {times}, {seconds[^1]:0.00} s");
            }

            isMet &= await DrillRows.SaveAsync(row.Name, coordinator, row.Fault, seconds, row.Times, row.Limits);
        }

        return isMet;
    }
}
