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

    private sealed record DiskRow(string Name, string Fault, int Times, string Folder);

    private sealed record JobRow(
        string Name, string Fault, int Times, Func<JobFaults, Task<TimeSpan>> Round,
        Limits? Embedded = null, Limits? Etcd = null);

    private static readonly DiskRow[] DiskRows =
    [
        new("scratch-full", "no space for scratch files, until the jobs are ready once there is", 10, "scratch"),
        new("store-full", "no space for objects, until the jobs are ready once there is", 10, "objects"),
    ];

    private static readonly JobRow[] JobRows =
    [
        new("kill-master", "kill -9 of the master, until another one answers", 150, run => run.KillMasterAsync(),
            Limits.EmbeddedFailover, Limits.EtcdFailover),
        new("stop-master", "SIGSTOP of the master for 30 s, until another one answers", 10,
            run => run.StopMasterAsync(Stop), Limits.EmbeddedFailover, Limits.EtcdFailover),
        new("kill-worker", "kill -9 of a worker in a chunk, until its chunks run elsewhere", 50,
            run => run.KillWorkerAsync(), Limits.Elsewhere, Limits.Elsewhere),
        new("stop-worker", "SIGSTOP of a worker past its lease, until its chunks run elsewhere", 10,
            run => run.StopWorkerAsync()),
        new("kill-all", "all six killed at once, until there is a master and the pages", 10, run => run.KillAllAsync(),
            Limits.FromNothing, Limits.FromNothing),
        new("rolling", "all six started again one by one, until the last is back", 10, run => run.RestartAllAsync()),
        new("busy", "encoders on both cores for 10 minutes, and no change of the master", 1,
            run => run.KeepBusyAsync(Busy)),
    ];

    /// <summary>The rows that there are on each coordinator. A disk's is of one node, with a coordinator of its own.
    /// </summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Names { get; } =
        new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            [Embedded] =
            [
                .. VoterRows.Names, .. DiskRows.Select(row => row.Name), .. JobRows.Select(row => row.Name),
            ],
            [Etcd] = [.. EtcdRows.Names, .. JobRows.Select(row => row.Name)],
        };

    /// <summary>Why a row that is asked for cannot be run here, or null. Of all rows those are left out, and told.
    /// </summary>
    public static string? HindranceOf(Asked asked) =>
        (asked.Coordinator is null or Embedded && VoterRows.Names.Contains(asked.Row) ? VoterCluster.Hindrance : null)
        ?? (asked.Coordinator is null or Etcd && EtcdRows.Names.Contains(asked.Row) ? EtcdHosts.Hindrance : null);

    /// <param name="asked">Without a row: all; without a coordinator: both.</param>
    /// <returns>Whether all limits were kept.</returns>
    public static async Task<bool> RunAsync(Asked asked)
    {
        await DrillReport.CommitAsync();
        var (only, on) = asked;
        using var folder = new TempFolder();
        var isMet = true;
        if (on is null or Embedded)
        {
            isMet &= await VoterRows.RunAsync(only, folder.Path);
            foreach (var row in DiskRows.Where(row => only is null || row.Name == only))
            {
                await RunDiskAsync(row, folder.Path);
            }
        }

        if (on is null or Etcd)
        {
            isMet &= await EtcdRows.RunAsync(only, folder.Path);
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
            await using var run = await JobFaults.StartAsync(nodes, etcd: null, clip, light);
            isMet &= await RunJobsAsync(Embedded, rows, run, row => row.Embedded);
        }

        if (on is null or Etcd)
        {
            await using var etcd = await SecureEtcd.StartAsync(Path.Combine(folder.Path, "etcd"));
            await using var nodes = await NodeCluster.StartOnEtcdAsync(
                Path.Combine(folder.Path, "nodes"), etcd.Settings());
            await using var run = await JobFaults.StartAsync(nodes, etcd, clip, light);
            isMet &= await RunJobsAsync(Etcd, rows, run, row => row.Etcd);
        }

        return isMet;
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

        await DrillRows.SaveAsync(row.Name, "one node", row.Fault, seconds, row.Times);
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
            isMet &= await DrillRows.SaveAsync(
                row.Name, coordinator, row.Fault + run.TakeRemarks(), seconds, row.Times, limits(row));
        }

        return isMet;
    }

    public static int Times(int whole) => int.TryParse(
        Environment.GetEnvironmentVariable(RoundsVariable), CultureInfo.InvariantCulture, out var most)
        ? Math.Clamp(most, 1, whole) : whole;
}
