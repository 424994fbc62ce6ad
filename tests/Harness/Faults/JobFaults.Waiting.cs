using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hexcast.Contracts.V1;

namespace Hexcast.Harness.Faults;

/// <summary>What a round begins with, waits for and ends with.</summary>
public sealed partial class JobFaults
{
    private const string ChunkTask = "chunk-";

    private int rounds;

    /// <summary>All nodes are there, one is the master, and jobs are under way.</summary>
    /// <returns>The master, which is not the node with the catalogue.</returns>
    private async Task<PlatformProcess> BeginAsync()
    {
        load ??= new JobLoad(cluster.Front.Api, lightClip, LoadAtOnce, media);
        PlatformProcess? master = null;
        await Wait.ForAsync(
            async () =>
            {
                master = await WholeAsync();
                await UntilEncodingAsync();
                await HoldsAsync();
                // All that took its time: were it another one by now, the loss of this one would cost nothing.
                return await NodeCluster.IsMasterAsync(master);
            },
            Limit, () => "nobody stays the master until jobs are under way");
        // What earlier faults have repeated is not this one's.
        history.Repeated.Clear();
        return master!;
    }

    /// <summary>Nothing of a round that failed is left for the next one.</summary>
    private async Task<PlatformProcess> WholeAsync()
    {
        foreach (var node in cluster.Nodes)
        {
            await (node.IsRunning ? node.ContinueAsync() : node.StartAgainAsync());
        }

        PlatformProcess? master = null;
        JsonNode? nodes = null;
        await Wait.ForAsync(
            async () =>
            {
                master = await cluster.MasterAsync();
                // One that was master until just now may say so for a moment more.
                var others = await Task.WhenAll(
                    cluster.Nodes.Where(node => node != master).Select(NodeCluster.IsMasterAsync));
                nodes = others.Contains(true) ? null : await NodesAsync(master);
                return nodes?["nodes"]!.AsArray().Count(node => (bool)node!["connected"]!) == WorkerCount;
            },
            Limit, () => $"not all workers have one master: {nodes}");
        return master!;
    }

    private static int WorkerCount => NodeCluster.Masters.Count + NodeCluster.Workers.Count;

    private static async Task<JsonNode?> NodesAsync(PlatformProcess master)
    {
        using var answer = await master.Http.GetAsync("/v1/nodes");
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonNode>() : null;
    }

    private async Task UntilEncodingAsync() => await Wait.ForAsync(
        async () => (await TasksAsync()).Any(task => task.Open.Any(IsEncoding(task))),
        Limit, () => "nothing is encoded");

    private RegisterClients AskRegisters() => new(members, $"registers-{++rounds}");

    /// <summary>Takes what was written since, and looks whether all of it is there.</summary>
    private async Task HoldsAsync()
    {
        foreach (var one in await View.HistoryAsync(revision))
        {
            history.Take(one);
            revision = one.Kv.ModRevision;
        }

        history.Check(await View.RecordsAsync(JobHistory.JobKeys));
    }

    private async Task<List<TaskRecord>> TasksAsync(string job = "") =>
        [.. (await View.RecordsAsync($"{JobHistory.JobKeys}{job}"))
            .Where(record => record.Key.ToStringUtf8().Contains("/tasks/", StringComparison.Ordinal))
            .Select(record => TaskRecord.Parser.ParseFrom(record.Value))];

    /// <summary>Whether an attempt has begun: its node has made a folder for it.</summary>
    private bool HasBegun(TaskRecord task, OpenAttempt attempt) => Directory.Exists(Path.Combine(
        cluster.Node(attempt.NodeId).DataFolder, "scratch", $"{task.JobId}-{task.TaskId}-{attempt.Attempt}"));

    private Func<OpenAttempt, bool> IsEncoding(TaskRecord task) => attempt =>
        task.CommittedAttempt == 0 && task.TaskId.StartsWith(ChunkTask, StringComparison.Ordinal)
        && HasBegun(task, attempt);

    private async ValueTask EndLoadAsync()
    {
        if (load is { } ended)
        {
            // Before it says what went wrong with it: that is one test's, not each one's after it.
            load = null;
            await ended.DisposeAsync();
        }
    }
}
