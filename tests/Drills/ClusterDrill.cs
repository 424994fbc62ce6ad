using System.Globalization;

namespace Hexcast.Drills;

/// <summary>
/// The cluster loses its master, again and again, while jobs run: killed, stopped, and all nodes at once. What counts
/// is the time without a master, that every job ends ready, and that nothing of it was done twice to effect.
/// </summary>
internal static class ClusterDrill
{
    private const string RoundsVariable = "HEXCAST_DRILL_ROUNDS";
    private const int Kills = 300;
    private const int Stops = 10;

    private static readonly TimeSpan Stop = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private static readonly TimeProvider Clock = TimeProvider.System;

    public static async Task RunAsync(DrillReport report)
    {
        var kills = int.TryParse(
            Environment.GetEnvironmentVariable(RoundsVariable), CultureInfo.InvariantCulture, out var asked)
            ? asked : Kills;
        report.Add("Time without a master, from the fault to the first answer of the next one, in seconds.");
        report.Add("");
        report.Add("| coordinator | fault | times | p50 | p99 | longest | jobs, all ready |");
        report.Add("| --- | --- | --- | --- | --- | --- | --- |");
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 24, size: "854x480");
        await using (var embedded = await NodeCluster.StartEmbeddedAsync(Path.Combine(folder.Path, "embedded")))
        {
            await RowsAsync(report, "embedded", embedded, clip, kills);
            await RowAsync(
                report, "embedded", "all five killed at once, until the first is master again", embedded, clip,
                Math.Max(1, kills / 30), _ => KillAllAsync(embedded));
        }

        await using var etcd = await SecureEtcd.StartAsync(Path.Combine(folder.Path, "etcd"));
        await using var onEtcd = await NodeCluster.StartOnEtcdAsync(
            Path.Combine(folder.Path, "nodes"), etcd.Settings());
        await RowsAsync(report, "etcd", onEtcd, clip, kills);
    }

    private static async Task RowsAsync(
        DrillReport report, string coordinator, NodeCluster cluster, string clip, int kills)
    {
        await RowAsync(report, coordinator, "kill -9 of the master", cluster, clip, kills, async master =>
        {
            await master.KillAsync();
            var without = await UntilAnotherAsync(cluster, master);
            await master.StartAgainAsync();
            return without;
        });
        await RowAsync(
            report, coordinator, "SIGSTOP of the master for 30 s", cluster, clip, Math.Clamp(kills / 10, 1, Stops),
            async master =>
            {
                await master.PauseAsync();
                var without = await UntilAnotherAsync(cluster, master);
                await Task.Delay(Stop - without, Clock);
                await master.ContinueAsync();
                return without;
            });
    }

    private static async Task RowAsync(
        DrillReport report, string coordinator, string fault, NodeCluster cluster, string clip, int times,
        Func<PlatformProcess, Task<TimeSpan>> strike)
    {
        List<double> seconds = [];
        List<string> jobs = [];
        while (seconds.Count < times)
        {
            if (jobs.Count == 0 || await IsReadyAsync(cluster, jobs[^1]))
            {
                jobs.Add(await cluster.Front.Api.UploadAsync(clip));
            }

            var master = await OnlyMasterAsync(cluster);
            seconds.Add((await strike(master)).TotalSeconds);
            Console.WriteLine($"{coordinator}, {fault}: {seconds.Count} of {times}, {seconds[^1]:0.00} s");
        }

        foreach (var job in jobs)
        {
            var media = await cluster.Front.Api.WaitForAsync(job, "ready");
            var frames = await Clips.CountFramesAsync(
                new Uri(cluster.Front.Http.BaseAddress!, $"/play/{job}/master.m3u8").ToString());
            if (frames != await Clips.CountFramesAsync(clip))
            {
                throw new InvalidOperationException($"{job} plays {frames} frames: {media}");
            }
        }

        seconds.Sort();
        report.Add(
            $"| {coordinator} | {fault} | {times} | {At(seconds, 0.5):0.00} | {At(seconds, 0.99):0.00} " +
            $"| {seconds[^1]:0.00} | {jobs.Count} |");
    }

    /// <summary>One that was master until just now may say so for a moment more.</summary>
    private static async Task<PlatformProcess> OnlyMasterAsync(NodeCluster cluster)
    {
        var master = await cluster.MasterAsync();
        await Wait.ForAsync(
            async () =>
            {
                master = await cluster.MasterAsync();
                var answers = await Task.WhenAll(
                    cluster.Nodes.Where(node => node != master).Select(NodeCluster.IsMasterAsync));
                return !answers.Contains(true);
            },
            Limit, () => "several nodes say that they are the master");
        return master;
    }

    private static async Task<bool> IsReadyAsync(NodeCluster cluster, string job) =>
        (string?)(await cluster.Front.Api.GetAsync(job))["state"] == "ready";

    private static async Task<TimeSpan> UntilAnotherAsync(NodeCluster cluster, PlatformProcess lost)
    {
        var start = Clock.GetTimestamp();
        var others = cluster.Nodes.Where(node => node != lost).ToList();
        while (Clock.GetElapsedTime(start) < Limit)
        {
            var answers = await Task.WhenAll(others.Select(NodeCluster.IsMasterAsync));
            if (answers.Contains(true))
            {
                return Clock.GetElapsedTime(start);
            }

            await Task.Delay(Look, Clock);
        }

        throw new TimeoutException("nobody became the master");
    }

    private static async Task<TimeSpan> KillAllAsync(NodeCluster cluster)
    {
        await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
        var start = Clock.GetTimestamp();
        await Task.WhenAll(cluster.Nodes.Select(node => node.StartAgainAsync()));
        await cluster.MasterAsync();
        return Clock.GetElapsedTime(start);
    }

    private static double At(List<double> sorted, double share) =>
        sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * share)];
}
