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

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly NodeCluster cluster;
    private readonly SecureEtcd? etcd;

    /// <summary>Those who keep the coordinator.</summary>
    private readonly IReadOnlyList<CoordinatorView> members;
    private readonly string clip;
    private readonly string lightClip;
    private readonly AcknowledgedMedia media = new();
    private readonly ReadyMedia ready;
    private JobHistory history = new(fence: 0);
    private long revision;
    private JobLoad? load;

    private JobFaults(NodeCluster cluster, SecureEtcd? etcd, string clip, string lightClip)
    {
        (this.cluster, this.etcd, this.clip, this.lightClip) = (cluster, etcd, clip, lightClip);
        members = etcd is null
            ? [CoordinatorView.Of(cluster.Front), .. NodeCluster.Masters.Select(Keeper)]
            : [.. etcd.Members.Select(member => CoordinatorView.Of(etcd, member))];
        ready = new ReadyMedia(cluster.Front, cluster.Objects);

        CoordinatorView Keeper(string name) => CoordinatorView.Of(cluster.Node(name));
    }

    /// <summary>Of their coordinator, by one that is there whenever it is asked.</summary>
    private CoordinatorView View => members[0];

    /// <summary>One that is encoded in several chunks, and one that is encoded in a moment.</summary>
    public static async Task<(string Clip, string Light)> MakeClipsAsync(string folder)
    {
        var (clip, light) = (Path.Combine(folder, "clip.mp4"), Path.Combine(folder, "light.mp4"));
        await Clips.MakeStandardAsync(clip, seconds: 20, size: "640x360");
        await Clips.MakeStandardAsync(light, seconds: 8, size: "426x240");
        return (clip, light);
    }

    /// <param name="cluster">The six.</param>
    /// <param name="etcd">Their coordinator; null: they keep it themselves.</param>
    /// <param name="clip">Of many chunks.</param>
    /// <param name="lightClip">Of a few.</param>
    public static Task<JobFaults> StartAsync(NodeCluster cluster, SecureEtcd? etcd, string clip, string lightClip) =>
        Started.WholeAsync(new JobFaults(cluster, etcd, clip, lightClip), async run =>
        {
            await cluster.LeaderAsync();
            (run.revision, var fence) = await run.View.StandingAsync();
            run.history = new JobHistory(fence);
            (await run.View.RecordsAsync(JobHistory.JobKeys)).ShouldBeEmpty("jobs that this has not seen begin");
        });

    public async ValueTask DisposeAsync()
    {
        await EndLoadAsync();
        foreach (var member in members)
        {
            member.Dispose();
        }
    }

    /// <returns>From the kill until there is a master, and the node of the catalogue answers.</returns>
    public async Task<TimeSpan> KillAllAsync()
    {
        await BeginAsync();
        await EndLoadAsync();
        await using var clients = AskRegisters();
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
        await clients.CheckAsync();
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

    /// <summary>Every job that was acknowledged is ready, and all of it can be played; the store holds nothing else;
    /// and those that keep the coordinator hold the same.</summary>
    public async Task FinishAsync()
    {
        await EndLoadAsync();
        var acknowledged = media.All;
        foreach (var (id, source) in acknowledged)
        {
            await ready.CheckAsync(id, source);
        }

        // Jobs too whose acknowledgement was lost on its way.
        await ready.CheckNothingIsLeftAsync(async () =>
        {
            await HoldsAsync();
            return history.Jobs.Select(job => job.MediaId);
        });
        var known = history.Jobs.Select(job => job.MediaId).ToHashSet(StringComparer.Ordinal);
        acknowledged.Select(one => one.Id).ShouldBeSubsetOf(known);
        await (etcd?.CheckAgreementAsync() ?? CoordinatorView.CheckAgreementAsync(members));
        media.Clear();
    }
}
