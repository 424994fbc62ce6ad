using Grpc.Net.Client;
using Hexcast.Contracts.V1;

namespace Hexcast.Harness.Faults;

/// <summary>Workers that are lost in the middle of a chunk.</summary>
public sealed partial class JobFaults
{
    /// <summary>Of which each may end its chunk just before it is lost.</summary>
    private const int MostTries = 8;

    /// <returns>From the kill until what it was doing runs elsewhere.</returns>
    public Task<TimeSpan> KillWorkerAsync() => UntilLostAsync(TryKillWorkerAsync);

    /// <summary>What it was doing is done by others by the time that it goes on, which is past its lease. A commit of
    /// it is refused before that, in its name, and afterwards too; and it says what came of it, or that it was told to
    /// stop, whichever comes first.</summary>
    /// <returns>From the stop until what it was doing runs elsewhere.</returns>
    public Task<TimeSpan> StopWorkerAsync() => UntilLostAsync(TryStopWorkerAsync);

    /// <param name="round">Null: the chunk was done by the time that its worker was lost.</param>
    private static async Task<TimeSpan> UntilLostAsync(Func<Task<TimeSpan?>> round)
    {
        for (var i = 0; i < MostTries; i++)
        {
            if (await round() is { } took)
            {
                return took;
            }
        }

        throw new TimeoutException("no chunk was ever lost with its worker");
    }

    private async Task<TimeSpan?> TryKillWorkerAsync()
    {
        var name = NodeCluster.Workers[0];
        var job = await WithChunkAsync(name, atOnce: 1);
        var start = Clock.GetTimestamp();
        await cluster.Node(name).KillAsync();
        var lost = await HeldAsync(job, name);
        var chunks = lost.Where(task => task.Open.Any(IsEncoding(task))).ToList();
        TimeSpan? took = chunks.Count > 0 ? await UntilElsewhereAsync(job, lost, name, start) : null;
        await cluster.Node(name).StartAgainAsync();
        await OnlyRepeatedAsync(job, lost);
        // Of one whose commit was on its way nothing was lost.
        var now = await TasksAsync(job);
        return chunks.Exists(chunk => Same(now, chunk).Attempts > chunk.Attempts) ? took : null;
    }

    private async Task<TimeSpan?> TryStopWorkerAsync()
    {
        var name = NodeCluster.Workers[^1];
        var node = cluster.Node(name);
        var job = await WithChunkAsync(name, atOnce: 2);
        var start = Clock.GetTimestamp();
        await node.PauseAsync();
        var lost = await HeldAsync(job, name);
        var took = await UntilElsewhereAsync(job, lost, name, start);
        await UntilAsync(job, lost, task => task.CommittedAttempt > 0, "what it was doing is done nowhere else");
        // Its encoders do not stand still.
        await Wait.ForAsync(
            () => Task.FromResult(!node.HasChildren), Limit, () => "its encoders do not end");
        await Wait.ForAsync(
            async () => (await View.RecordsAsync($"/hexcast/services/worker/{name}")).Count == 0,
            Limit, () => "its lease never ends");
        var now = await TasksAsync(job);
        var late = lost.Where(task => task.Open.Any(IsEncoding(task))
            && Same(now, task).CommittedAttempt != On(task, name).Attempt).ToList();
        if (late.Count > 0)
        {
            // The first one's attempt is closed by it; what else it runs is so once it speaks itself.
            On(Same(now, late[0]), name).Superseded.ShouldBeTrue("it was given up, and is not known to be over");
            await CommitLateAsync(job, late[..1], name);
        }

        await node.ContinueAsync();
        await UntilAsync(
            job, lost, task => task.Open.All(attempt => attempt.NodeId != name), "it never says what came of it");
        await CommitLateAsync(job, late, name);
        await OnlyRepeatedAsync(job, lost);
        return late.Count > 0 ? took : null;
    }

    private static TaskRecord Same(IEnumerable<TaskRecord> tasks, TaskRecord task) =>
        tasks.Single(other => other.TaskId == task.TaskId);

    private static OpenAttempt On(TaskRecord task, string node) => task.Open.Single(open => open.NodeId == node);

    private async Task CommitLateAsync(string job, IReadOnlyList<TaskRecord> late, string node)
    {
        var before = await TasksAsync(job);
        using var channel = GrpcChannel.ForAddress($"http://{(await cluster.MasterAsync()).Grpc}");
        var master = new Scheduler.SchedulerClient(channel.CreateCallInvoker());
        foreach (var task in late)
        {
            var answer = await master.ReportStatusAsync(new ReportStatusRequest
            {
                NodeId = node,
                Attempt = new AttemptRef { JobId = job, TaskId = task.TaskId, Attempt = On(task, node).Attempt },
                Fence = task.Fence,
                Commit = new TaskCommit { Result = new ObjectRef { Key = $"late/{task.TaskId}", Length = 1 } },
            });
            answer.Verdict.ShouldBe(ReportStatusResponse.Types.Verdict.Superseded);
        }

        var after = await TasksAsync(job);
        foreach (var task in late)
        {
            var (was, now) = (Same(before, task), Same(after, task));
            (now.CommittedAttempt, now.Result).ShouldBe((was.CommittedAttempt, was.Result), "one effective commit");
        }
    }

    /// <summary>A job of which that node encodes a chunk.</summary>
    /// <param name="node">The one.</param>
    /// <param name="atOnce">Jobs that are under way: with one, others have slots free; with more, none is idle.</param>
    private async Task<string> WithChunkAsync(string node, int atOnce)
    {
        await WholeAsync();
        await FinishAsync();
        load = new JobLoad(cluster.Front.Api, clip, atOnce, media);
        string? found = null;
        await Wait.ForAsync(
            async () =>
            {
                found = (await TasksAsync()).FirstOrDefault(task => task.Open.Any(attempt =>
                    attempt.NodeId == node && IsEncoding(task)(attempt)))?.JobId;
                return found is not null;
            },
            Limit, () => $"nothing is ever encoded on {node}");
        return found!;
    }

    /// <summary>What that node has of a job.</summary>
    private async Task<IReadOnlyList<TaskRecord>> HeldAsync(string job, string node) =>
        [.. (await TasksAsync(job)).Where(task =>
            task.CommittedAttempt == 0 && task.Open.Any(attempt => attempt.NodeId == node))];

    private async Task<TimeSpan> UntilElsewhereAsync(
        string job, IReadOnlyList<TaskRecord> lost, string from, long start)
    {
        await UntilAsync(
            job, lost,
            task => task.CommittedAttempt > 0
                || task.Open.Any(attempt => attempt.NodeId != from && HasBegun(task, attempt)),
            "what it was doing runs nowhere else");
        return Clock.GetElapsedTime(start);
    }

    private Task UntilAsync(
        string job, IReadOnlyList<TaskRecord> some, Func<TaskRecord, bool> condition, string otherwise)
    {
        var ids = some.Select(task => task.TaskId).ToHashSet(StringComparer.Ordinal);
        return Wait.ForAsync(
            async () => (await TasksAsync(job)).Where(task => ids.Contains(task.TaskId)).All(condition),
            Limit, () => otherwise);
    }

    private async Task OnlyRepeatedAsync(string job, IReadOnlyList<TaskRecord> lost)
    {
        await WholeAsync();
        await FinishAsync();
        (await TasksAsync(job)).Where(task => task.Attempts > 1).Select(task => task.TaskId)
            .ShouldBeSubsetOf(lost.Select(task => task.TaskId), "only what was lost is repeated");
    }
}
