using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;

namespace Hexcast.Harness.Faults;

/// <summary>
/// One round of each fault on the six nodes. Each leaves all of them whole; what did not hold is thrown. After each the
/// coordinator's whole history since the start is held against the invariants of <see cref="JobHistory"/>.
/// </summary>
public sealed partial class JobFaults : IAsyncDisposable
{
    /// <summary>Jobs that are under way while masters are lost.</summary>
    private const int LoadAtOnce = 2;

    /// <summary>Of the time of all processors, over the whole of it.</summary>
    private const double IdleLimit = 0.1;

    private const int LateOrders = 8;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly NodeCluster cluster;
    private readonly CoordinatorView view;
    private readonly string clip;
    private readonly string lightClip;
    private readonly JobHistory history;
    private readonly AcknowledgedMedia media = new();
    private readonly HashSet<string> lateMedia = new(StringComparer.Ordinal);
    private long revision;
    private JobLoad? load;

    private JobFaults(NodeCluster cluster, CoordinatorView view, string clip, string lightClip, long fence)
    {
        (this.cluster, this.view, this.clip, this.lightClip) = (cluster, view, clip, lightClip);
        history = new JobHistory(fence);
    }

    /// <summary>What workers that lived did under a master that was killed, and others did again: those that came to
    /// the next one too late. That costs time, and no more: one commit counts.</summary>
    public int NeedlesslyRepeated { get; private set; }

    /// <summary>One that is encoded in several chunks, and one that is encoded in a moment.</summary>
    public static async Task<(string Clip, string Light)> MakeClipsAsync(string folder)
    {
        var (clip, light) = (Path.Combine(folder, "clip.mp4"), Path.Combine(folder, "light.mp4"));
        await Clips.MakeStandardAsync(clip, seconds: 20, size: "640x360");
        await Clips.MakeStandardAsync(light, seconds: 8, size: "426x240");
        return (clip, light);
    }

    /// <param name="view">Of their coordinator, by what is not lost.</param>
    /// <param name="clip">Of many chunks.</param>
    /// <param name="lightClip">Of a few.</param>
    public static async Task<JobFaults> StartAsync(
        NodeCluster cluster, CoordinatorView view, string clip, string lightClip)
    {
        await cluster.LeaderAsync();
        var (revision, fence) = await view.StandingAsync();
        var run = new JobFaults(cluster, view, clip, lightClip, fence) { revision = revision };
        foreach (var record in await view.RecordsAsync(JobHistory.JobKeys))
        {
            record.Key.ToStringUtf8().ShouldBeEmpty("jobs that this has not seen begin");
        }

        return run;
    }

    public ValueTask DisposeAsync() => EndLoadAsync();

    /// <returns>From the kill until another one answers as the master.</returns>
    public async Task<TimeSpan> KillMasterAsync()
    {
        var master = await BeginAsync();
        var start = Clock.GetTimestamp();
        await master.KillAsync();
        var without = await UntilAnotherAsync(master, start);
        await master.StartAgainAsync();
        await HoldsAsync();
        NeedlesslyRepeated += history.Repeated.Count(one => one.Node != cluster.NameOf(master));
        return without;
    }

    /// <summary>It is ordered to make jobs while it stands still, and has yet to hear that it is the master no more
    /// when it goes on: nothing of it may be accepted.</summary>
    /// <returns>From the stop until another one answers as the master.</returns>
    public async Task<TimeSpan> StopMasterAsync(TimeSpan time)
    {
        var master = await BeginAsync();
        using var channel = GrpcChannel.ForAddress($"http://{master.Grpc}");
        var orders = new Transcoder.TranscoderClient(channel.CreateCallInvoker());
        var start = Clock.GetTimestamp();
        await master.PauseAsync();
        var late = Enumerable.Range(0, LateOrders).Select(_ => OrderAsync(orders)).ToList();
        var without = await UntilAnotherAsync(master, start);
        await Wait.ForAsync(() => Task.FromResult(Clock.GetElapsedTime(start) > time), time + Limit, () => "");
        await master.ContinueAsync();
        (await Task.WhenAll(late)).ShouldAllBe(wasTaken => !wasTaken, "the old master took an order");
        await Wait.ForAsync(
            async () => !await NodeCluster.IsMasterAsync(master), Limit, () => "it still takes itself for the master");
        await HoldsAsync();
        history.Jobs.ShouldNotContain(job => lateMedia.Contains(job.MediaId));
        return without;
    }

    /// <returns>From the kill until there is a master, and the node of the catalogue answers.</returns>
    public async Task<TimeSpan> KillAllAsync()
    {
        await BeginAsync();
        await EndLoadAsync();
        var start = Clock.GetTimestamp();
        await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
        foreach (var node in cluster.Nodes)
        {
            node.Start();
        }

        await Task.WhenAll(cluster.Front.ReadyAsync(), cluster.LeaderAsync());
        await cluster.Front.Api.GetAsync(media.All[^1].Id);
        var without = Clock.GetElapsedTime(start);
        await Task.WhenAll(cluster.Nodes.Select(node => node.ReadyAsync()));
        await HoldsAsync();
        return without;
    }

    /// <summary>One after the other, the node of the catalogue too, each while jobs are under way.</summary>
    public async Task<TimeSpan> RestartAllAsync()
    {
        await BeginAsync();
        var start = Clock.GetTimestamp();
        foreach (var node in cluster.Nodes.Reverse().ToList())
        {
            await UntilEncodingAsync();
            (await node.StopAsync()).ShouldBe(0);
            await node.StartAgainAsync();
            await WholeAsync();
        }

        var took = Clock.GetElapsedTime(start);
        await HoldsAsync();
        history.Tasks.ShouldAllBe(task => task.Failures == 0 && task.LastFailure == null);
        return took;
    }

    /// <summary>All processors belong to encoders, those of jobs and others: nobody is elected.</summary>
    public async Task<TimeSpan> KeepBusyAsync(TimeSpan time)
    {
        await WholeAsync();
        await HoldsAsync();
        var changes = history.Changes;
        await using var busy = new JobLoad(cluster.Front.Api, lightClip, LoadAtOnce, media);
        using var encoders = new IdleEncoders();
        await UntilEncodingAsync();
        var (start, before) = (Clock.GetTimestamp(), ProcessorTime.Read());
        while (Clock.GetElapsedTime(start) < time)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), Clock);
            await HoldsAsync();
            history.Changes.ShouldBe(changes, "somebody was elected that no fault asked for");
        }

        ProcessorTime.Read().IdleSince(before).ShouldBeLessThan(IdleLimit, "the processors were not saturated");
        return Clock.GetElapsedTime(start);
    }

    /// <summary>A fault that no job notices, neither before it is over nor afterwards.</summary>
    public async Task PassUnnoticedAsync(Func<Task> fault, Func<Task> end)
    {
        await BeginAsync();
        await fault();
        await EndLoadAsync();
        foreach (var (id, _) in media.All)
        {
            await cluster.Front.Api.WaitForAsync(id, "ready");
        }

        await end();
        await FinishAsync();
        history.Repeated.ShouldBeEmpty();
    }

    /// <summary>Every job that was acknowledged is ready, with every frame.</summary>
    public async Task FinishAsync()
    {
        await EndLoadAsync();
        var acknowledged = media.All;
        foreach (var (id, source) in acknowledged)
        {
            await cluster.Front.Api.WaitForAsync(id, "ready");
            var manifest = new Uri(cluster.Front.Http.BaseAddress!, $"/play/{id}/master.m3u8");
            (await Clips.CountFramesAsync(manifest.ToString())).ShouldBe(await FramesAsync(source), id);
        }

        await HoldsAsync();
        var known = history.Jobs.Select(job => job.MediaId).ToHashSet(StringComparer.Ordinal);
        acknowledged.Select(one => one.Id).ShouldBeSubsetOf(known);
        media.Clear();
    }
}
