using System.Globalization;

namespace Hexcast.Drills;

/// <summary>
/// The fault matrix on real processes. A row can be run by its name alone, and on one coordinator alone; each writes
/// its own line, so that the others stay. An invariant that does not hold is thrown, and then there is no new line; a
/// limit that is not kept is told in the line, and by the exit code.
/// </summary>
internal static class ClusterDrill
{
    public const string Embedded = "embedded";
    public const string Etcd = "etcd";

    private const string RoundsVariable = "HEXCAST_DRILL_ROUNDS";

    private static readonly TimeSpan Busy = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Stop = TimeSpan.FromSeconds(30);

    private sealed record VoterRow(string Name, string Fault, int Times, Func<VoterCluster, int, Task<TimeSpan>> Round);

    private sealed record DiskRow(string Name, string Fault, int Times, string Folder);

    private sealed record JobRow(
        string Name, string Fault, int Times, Func<JobFaults, Task<TimeSpan>> Round,
        Limits? Embedded = null, Limits? Etcd = null);

    private static readonly Limits EmbeddedFailover = new(0.5, 1.5);
    private static readonly Limits EtcdFailover = new(2.5, 4);
    private static readonly Limits Elsewhere = new(null, 2);
    private static readonly Limits FromNothing = new(null, 10);

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
        new("kill-master", "kill -9 of the master, until another one answers", 150, run => run.KillMasterAsync(),
            EmbeddedFailover, EtcdFailover),
        new("stop-master", "SIGSTOP of the master for 30 s, until another one answers", 10,
            run => run.StopMasterAsync(Stop), EmbeddedFailover, EtcdFailover),
        new("kill-worker", "kill -9 of a worker in a chunk, until its chunks run elsewhere", 50,
            run => run.KillWorkerAsync(), Elsewhere, Elsewhere),
        new("stop-worker", "SIGSTOP of a worker past its lease, until its chunks run elsewhere", 10,
            run => run.StopWorkerAsync()),
        new("kill-all", "all six killed at once, until there is a master and the pages", 10, run => run.KillAllAsync(),
            FromNothing, FromNothing),
        new("rolling", "all six started again one by one, until the last is back", 10, run => run.RestartAllAsync()),
        new("busy", "encoders on both cores for 10 minutes, and no change of the master", 1,
            run => run.KeepBusyAsync(Busy)),
    ];

    public static IEnumerable<string> Names =>
        [
            .. VoterRows.Select(row => row.Name).Union(EtcdRows.Names),
            .. DiskRows.Select(row => row.Name), .. JobRows.Select(row => row.Name),
        ];

    /// <param name="only">The row, or null: all.</param>
    /// <param name="on">The coordinator, or null: both.</param>
    /// <returns>Whether all limits were kept.</returns>
    public static async Task<bool> RunAsync(string? only, string? on)
    {
        using var folder = new TempFolder();
        var isMet = true;
        if (on is null or Embedded)
        {
            await RunVotersAsync([.. VoterRows.Where(row => only is null || row.Name == only)], folder.Path);
            foreach (var row in DiskRows.Where(row => only is null || row.Name == only))
            {
                await RunDiskAsync(row, folder.Path);
            }
        }

        if (on is null or Etcd)
        {
            await EtcdRows.RunAsync(only, folder.Path);
        }

        var rows = JobRows.Where(row => only is null || row.Name == only).ToList();
        if (rows.Count == 0)
        {
            return isMet;
        }

        var (clip, light) = await JobFaults.MakeClipsAsync(folder.Path);
        if (on is null or Embedded)
        {
            await using var nodes = await NodeCluster.StartEmbeddedAsync(Path.Combine(folder.Path, "embedded"));
            using var view = CoordinatorView.Of(nodes.Front);
            await using var run = await JobFaults.StartAsync(nodes, view, clip, light);
            isMet &= await RunJobsAsync(Embedded, rows, run, row => row.Embedded);
        }

        if (on is null or Etcd)
        {
            await using var etcd = await SecureEtcd.StartAsync(Path.Combine(folder.Path, "etcd"));
            await using var nodes = await NodeCluster.StartOnEtcdAsync(
                Path.Combine(folder.Path, "nodes"), etcd.Settings());
            using var view = CoordinatorView.Of(etcd);
            await using var run = await JobFaults.StartAsync(nodes, view, clip, light);
            isMet &= await RunJobsAsync(Etcd, rows, run, row => row.Etcd);
        }

        return isMet;
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

    private static async Task<bool> RunJobsAsync(
        string coordinator, IEnumerable<JobRow> rows, JobFaults run, Func<JobRow, Limits?> limits)
    {
        var isMet = true;
        foreach (var row in rows)
        {
            var seconds = new List<double>();
            var start = TimeProvider.System.GetTimestamp();
            for (var i = 0; i < Times(row.Times); i++)
            {
                seconds.Add((await row.Round(run)).TotalSeconds);
                Console.WriteLine(
                    $"{coordinator}, {row.Name}: {seconds.Count} of {Times(row.Times)}, {seconds[^1]:0.00} s " +
                    $"(after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0} s)");
            }

            await run.FinishAsync();
            Console.WriteLine($"{coordinator}, {row.Name}: needlessly repeated so far {run.NeedlesslyRepeated}");
            isMet &= await DrillRows.SaveAsync(row.Name, coordinator, row.Fault, seconds, limits(row));
        }

        return isMet;
    }

    public static int Times(int whole) => int.TryParse(
        Environment.GetEnvironmentVariable(RoundsVariable), CultureInfo.InvariantCulture, out var most)
        ? Math.Min(whole, most) : whole;
}
