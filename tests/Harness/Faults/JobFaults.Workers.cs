using Grpc.Net.Client;
using Hexcast.Contracts.V1;

namespace Hexcast.Harness.Faults;

/// <summary>Workers that are lost in the middle of a chunk.</summary>
public sealed partial class JobFaults
{
    /// <returns>From the kill until what it was doing runs elsewhere.</returns>
    public async Task<TimeSpan> KillWorkerAsync()
    {
        var name = NodeCluster.Workers[0];
        var job = await WithChunkAsync(name, atOnce: 1);
        var start = Clock.GetTimestamp();
        await cluster.Node(name).KillAsync();
        var lost = await HeldAsync(job, name);
        var took = await UntilElsewhereAsync(job, lost, name, start);
        await cluster.Node(name).StartAgainAsync();
        await OnlyRepeatedAsync(job, lost);
        return took;
    }

    /// <summary>What it was doing is done by others by the time that it goes on. It has done it too: it says so, or
    /// that it was told to stop, whichever comes first; and a commit of it is refused whenever it comes.</summary>
    /// <returns>From the stop until what it was doing runs elsewhere.</returns>
    public async Task<TimeSpan> StopWorkerAsync()
    {
        var name = NodeCluster.Workers[^1];
        var node = cluster.Node(name);
        var job = await WithChunkAsync(name, atOnce: 2);
        var start = Clock.GetTimestamp();
        await node.PauseAsync();
        var lost = await HeldAsync(job, name);
        var late = lost.Where(task => task.Open.Any(IsEncoding(task))).ToList();
        late.ShouldNotBeEmpty();
        var took = await UntilElsewhereAsync(job, lost, name, start);
        await UntilAsync(job, lost, task => task.CommittedAttempt > 0, "what it was doing is done nowhere else");
        // Its encoders do not stand still.
        await Wait.ForAsync(
            () => Task.FromResult(!node.HasChildren), Limit, () => "its encoders do not end");
        await node.ContinueAsync();
        await UntilAsync(
            job, lost, task => task.Open.All(attempt => attempt.NodeId != name), "it never says what came of it");
        await CommitLateAsync(job, late, name);
        await OnlyRepeatedAsync(job, lost);
        return took;
    }

    private async Task CommitLateAsync(string job, IReadOnlyList<TaskRecord> late, string node)
    {
        using var channel = GrpcChannel.ForAddress($"http://{(await cluster.MasterAsync()).Grpc}");
        var master = new Scheduler.SchedulerClient(channel.CreateCallInvoker());
        foreach (var task in late)
        {
            var answer = await master.ReportStatusAsync(new ReportStatusRequest
            {
                NodeId = node,
                Attempt = new AttemptRef { JobId = job, TaskId = task.TaskId, Attempt = task.Attempts },
                Fence = task.Fence,
                Commit = new TaskCommit { Result = new ObjectRef { Key = $"late/{task.TaskId}", Length = 1 } },
            });
            answer.Verdict.ShouldBe(ReportStatusResponse.Types.Verdict.Superseded);
        }

        (await TasksAsync(job)).ShouldAllBe(task => !late.Any(held =>
            held.TaskId == task.TaskId && held.Attempts == task.CommittedAttempt));
    }

    /// <summary>A job of which that node encodes a chunk.</summary>
    /// <param name="node">The one.</param>
    /// <param name="atOnce">Jobs that are under way: with one, others have slots free; with more, none is idle.</param>
    private async Task<string> WithChunkAsync(string node, int atOnce)
    {
        await FinishAsync();
        await WholeAsync();
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
