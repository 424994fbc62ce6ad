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

    /// <summary>What it was doing is done by others by the time that it goes on; it has done it too, and its commit is
    /// refused.</summary>
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
        var told = node.Log.Length;
        await node.ContinueAsync();
        await Wait.ForAsync(
            () => Task.FromResult(late.All(task => node.Log[told..].Contains(
                $"The commit of {job}-{task.TaskId}-{task.Attempts} is refused", StringComparison.Ordinal))),
            Limit, () => $"its late commits were not refused:\n{node.Log[told..]}");
        await OnlyRepeatedAsync(job, lost);
        return took;
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
