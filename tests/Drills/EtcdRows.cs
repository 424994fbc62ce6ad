namespace Hexcast.Drills;

/// <summary>The rows of the fault matrix that are about an etcd's members, and what our nodes make of them.</summary>
internal static class EtcdRows
{
    private const int Whole = 10;

    private static readonly (string Name, string Fault, Func<EtcdHosts, int, Task<TimeSpan>> Round)[] Rows =
    [
        ("cut-out", "no other member hears the one that leads; healed",
            (c, _) => EtcdFaults.CutLeaderAsync(c, isHeard: false, hears: true)),
        ("cut-in", "the member that leads hears no other; healed",
            (c, _) => EtcdFaults.CutLeaderAsync(c, isHeard: true, hears: false)),
        ("cut-off", "the member that leads is cut off from the others; healed",
            (c, _) => EtcdFaults.CutLeaderAsync(c, isHeard: false, hears: false)),
        ("third-sees-both", "the member that leads and another do not see each other, a third sees both; healed",
            (c, _) => EtcdFaults.CutOneOffLeaderAsync(c)),
        ("cut-master-out", "no member hears the master, until another one is it",
            (c, _) => EtcdFaults.CutMasterAsync(c, isHeard: false, hears: true)),
        ("cut-master-in", "the master hears no member, until another one is it",
            (c, _) => EtcdFaults.CutMasterAsync(c, isHeard: true, hears: false)),
        ("cut-master-off", "the master is cut off from all members, until another one is it",
            (c, _) => EtcdFaults.CutMasterAsync(c, isHeard: false, hears: false)),
        ("cut-master-one", "the master is cut off from one member after the other, until it sees all",
            (c, _) => EtcdFaults.CutMasterFromOneAsync(c)),
        ("fsync-error", "fsync error on the member that leads, until another one writes",
            (c, _) => EtcdFaults.FailDiskAsync(c, EtcdDisk.FailSyncAsync)),
        ("disk-full", "no space for the member that leads, until another one writes",
            (c, _) => EtcdFaults.FailDiskAsync(c, EtcdDisk.FillAsync)),
        ("slow-disk", "+500 ms an fsync on the member that leads: the slowest of four writes",
            (c, _) => EtcdFaults.SlowDiskAsync(c)),
        ("clock", "nodes' clocks an hour off, either way: how long that was watched",
            (c, i) => EtcdFaults.SetClocksAsync(c, isForward: i % 2 == 0)),
    ];

    public static IEnumerable<string> Names => Rows.Select(row => row.Name);

    /// <param name="only">The row, or null: all.</param>
    public static async Task RunAsync(string? only, string folder)
    {
        var rows = Rows.Where(row => only is null || row.Name == only).ToList();
        if (rows.Count == 0)
        {
            return;
        }

        if (EtcdHosts.Hindrance is { } hindrance)
        {
            Console.Error.WriteLine($"not run on etcd: {string.Join(", ", rows.Select(row => row.Name))}: {hindrance}");
            return;
        }

        await using var cluster = await EtcdHosts.StartAsync(Path.Combine(folder, "etcd-members"));
        foreach (var (name, fault, round) in rows)
        {
            var (seconds, times) = (new List<double>(), ClusterDrill.Times(Whole));
            for (var i = 0; i < times; i++)
            {
                seconds.Add((await round(cluster, i)).TotalSeconds);
                Console.WriteLine($"etcd, {name}: {seconds.Count} of {times}, {seconds[^1]:0.00} s");
            }

            await DrillRows.SaveAsync(name, "etcd", fault, seconds);
        }
    }
}
