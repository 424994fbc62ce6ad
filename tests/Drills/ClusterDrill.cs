using System.Globalization;

namespace Hexcast.Drills;

/// <summary>
/// The fault matrix on real processes. A row can be run by its name alone; each writes its own line, so that the others
/// stay. Whatever does not hold is thrown, and then there is no new line.
/// </summary>
internal static class ClusterDrill
{
    private const string RoundsVariable = "HEXCAST_DRILL_ROUNDS";

    private static readonly TimeSpan Busy = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Stop = TimeSpan.FromSeconds(30);

    private sealed record VoterRow(string Name, string Fault, int Times, Func<VoterCluster, int, Task<TimeSpan>> Round);

    private sealed record DiskRow(string Name, string Fault, int Times, string Folder);

    private sealed record JobRow(
        string Name, string Fault, int Times, Func<JobFaults, Task<TimeSpan>> Round, bool EmbeddedOnly = false);

    private static readonly VoterRow[] VoterRows =
    [
        new("cut-out", "nobody hears the master; healed", 10,
            (c, _) => VoterFaults.CutMasterAsync(c, isHeard: false, hears: true)),
        new("cut-in", "the master hears nobody; healed", 10,
            (c, _) => VoterFaults.CutMasterAsync(c, isHeard: true, hears: false)),
        new("cut-off", "the master is cut off from the majority; healed", 10,
            (c, _) => VoterFaults.CutMasterAsync(c, isHeard: false, hears: false)),
        new("third-sees-both", "master and another do not see each other, a third sees both; healed", 10,
            (c, _) => VoterFaults.CutOneOffMasterAsync(c)),
        new("fsync-error", "fsync error on the master, until another one writes", 10,
            (c, _) => VoterFaults.FailSyncAsync(c)),
        new("disk-full", "no space for the master's log, until it has all once there is", 10,
            (c, _) => VoterFaults.FillDiskAsync(c)),
        new("disks-full", "no space for any log, until a write is taken once there is", 10,
            (c, _) => VoterFaults.FillAllDisksAsync(c)),
        new("slow-disk", "+500 ms a write on the master, until another one is it", 10,
            (c, _) => VoterFaults.SlowDiskAsync(c)),
        new("clock", "clocks an hour off, either way: how long a lease of 5 s lasts", 10,
            (c, i) => VoterFaults.SetClocksAsync(c, isForward: i % 2 == 0)),
        new("torn-log", "the log ends in a record torn at each of its bytes, until the node has all again", 200,
            (c, i) => VoterFaults.TearLogAsync(c, i + 1)),
        new("flipped-bit", "a bit flipped in what is committed, until the node has all again", 50,
            (c, i) => VoterFaults.FlipBitAsync(c, new Random(i))),
    ];

    private static readonly DiskRow[] DiskRows =
    [
        new("scratch-full", "no space for scratch files, until the jobs are ready once there is", 10, "scratch"),
        new("store-full", "no space for objects, until the jobs are ready once there is", 10, "objects"),
    ];

    private static readonly JobRow[] JobRows =
    [
        new("kill-master", "kill -9 of the master, until another one answers", 300, run => run.KillMasterAsync()),
        new("stop-master", "SIGSTOP of the master for 30 s, until another one answers", 10,
            run => run.StopMasterAsync(Stop)),
        new("kill-worker", "kill -9 of a worker in a chunk, until its chunks run elsewhere", 50,
            run => run.KillWorkerAsync()),
        new("stop-worker", "SIGSTOP of a worker past its lease, until its chunks run elsewhere", 10,
            run => run.StopWorkerAsync()),
        new("kill-all", "all killed at once, until there is a master", 10, run => run.KillAllAsync(),
            EmbeddedOnly: true),
        new("rolling", "all that are no front started again one by one, until the last is back", 10,
            run => run.RestartAllAsync()),
        new("busy", "jobs for 10 minutes on both cores, and no change of the master", 1,
            run => run.KeepBusyAsync(Busy)),
    ];

    public static IEnumerable<string> Names =>
        [
            .. VoterRows.Select(row => row.Name).Union(EtcdRows.Names),
            .. DiskRows.Select(row => row.Name), .. JobRows.Select(row => row.Name),
        ];

    /// <param name="only">The row, or null: all.</param>
    public static async Task RunAsync(string? only)
    {
        using var folder = new TempFolder();
        await RunVotersAsync([.. VoterRows.Where(row => only is null || row.Name == only)], folder.Path);
        await EtcdRows.RunAsync(only, folder.Path);
        foreach (var row in DiskRows.Where(row => only is null || row.Name == only))
        {
            await RunDiskAsync(row, folder.Path);
        }

        var rows = JobRows.Where(row => only is null || row.Name == only).ToList();
        if (rows.Count == 0)
        {
            return;
        }

        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 24, size: "854x480");
        await using (var nodes = await NodeCluster.StartEmbeddedAsync(Path.Combine(folder.Path, "embedded")))
        {
            await RunJobsAsync("embedded", rows, new JobFaults(nodes, clip));
        }

        rows.RemoveAll(row => row.EmbeddedOnly);
        await using var etcd = await SecureEtcd.StartAsync(Path.Combine(folder.Path, "etcd"));
        await using var onEtcd = await NodeCluster.StartOnEtcdAsync(
            Path.Combine(folder.Path, "nodes"), etcd.Settings());
        await RunJobsAsync("etcd", rows, new JobFaults(onEtcd, clip));
    }

    private static async Task RunVotersAsync(IReadOnlyList<VoterRow> rows, string folder)
    {
        if (rows.Count == 0)
        {
            return;
        }

        if (VoterCluster.Hindrance is { } hindrance)
        {
            Console.Error.WriteLine($"not run: {string.Join(", ", rows.Select(row => row.Name))}: {hindrance}");
            return;
        }

        await using var cluster = await VoterCluster.StartAsync(Path.Combine(folder, "voters"));
        foreach (var row in rows)
        {
            var seconds = new List<double>();
            for (var i = 0; i < Times(row.Times); i++)
            {
                seconds.Add((await row.Round(cluster, i)).TotalSeconds);
                Console.WriteLine($"{row.Name}: {seconds.Count} of {Times(row.Times)}, {seconds[^1]:0.00} s");
            }

            await DrillRows.SaveAsync(row.Name, "embedded", row.Fault, seconds);
        }
    }

    private static async Task RunDiskAsync(DiskRow row, string folder)
    {
        await using var disk = await FullDisk.StartAsync(Path.Combine(folder, row.Name), row.Folder);
        var seconds = new List<double>();
        for (var i = 0; i < Times(row.Times); i++)
        {
            seconds.Add((await disk.RoundAsync()).TotalSeconds);
            Console.WriteLine($"{row.Name}: {seconds.Count} of {Times(row.Times)}, {seconds[^1]:0.00} s");
        }

        await DrillRows.SaveAsync(row.Name, "one node", row.Fault, seconds);
    }

    private static async Task RunJobsAsync(string coordinator, IEnumerable<JobRow> rows, JobFaults run)
    {
        foreach (var row in rows)
        {
            var seconds = new List<double>();
            for (var i = 0; i < Times(row.Times); i++)
            {
                seconds.Add((await row.Round(run)).TotalSeconds);
                Console.WriteLine(
                    $"{coordinator}, {row.Name}: {seconds.Count} of {Times(row.Times)}, {seconds[^1]:0.00} s");
            }

            await run.FinishAsync();
            await DrillRows.SaveAsync(row.Name, coordinator, row.Fault, seconds);
        }
    }

    public static int Times(int whole) => int.TryParse(
        Environment.GetEnvironmentVariable(RoundsVariable), CultureInfo.InvariantCulture, out var most)
        ? Math.Min(whole, most) : whole;
}
