using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Hexcast.Harness.Faults;

/// <summary>One round of each fault on nodes that have jobs; there is always one under way.</summary>
public sealed class JobFaults(NodeCluster cluster, string clip)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly string[] Restarted = ["worker-1", "master-1", "master-2", "worker-2"];

    private readonly List<string> jobs = [];

    public async Task<TimeSpan> KillMasterAsync()
    {
        var master = await OnlyMasterWithJobAsync();
        await master.KillAsync();
        var without = await UntilAnotherAsync(master);
        await master.StartAgainAsync();
        return without;
    }

    public async Task<TimeSpan> StopMasterAsync(TimeSpan time)
    {
        var master = await OnlyMasterWithJobAsync();
        await master.PauseAsync();
        var start = Clock.GetTimestamp();
        var without = await UntilAnotherAsync(master);
        await Wait.ForAsync(() => Task.FromResult(Clock.GetElapsedTime(start) > time), time + Limit, () => "");
        await master.ContinueAsync();
        return without;
    }

    public async Task<TimeSpan> KillAllAsync()
    {
        await OnlyMasterWithJobAsync();
        await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
        var start = Clock.GetTimestamp();
        await Task.WhenAll(cluster.Nodes.Select(node => node.StartAgainAsync()));
        await cluster.MasterAsync();
        return Clock.GetElapsedTime(start);
    }

    public Task<TimeSpan> KillWorkerAsync() => LoseWorkerAsync(
        worker => worker.KillAsync(), worker => worker.StartAgainAsync());

    /// <summary>What it reports after it was given up comes too late.</summary>
    public Task<TimeSpan> StopWorkerAsync() => LoseWorkerAsync(
        worker => worker.PauseAsync(), worker => worker.ContinueAsync());

    public async Task<TimeSpan> RestartAllAsync()
    {
        var id = await NewJobAsync();
        await EncodingOnAsync(id, node: null);
        var start = Clock.GetTimestamp();
        foreach (var node in Restarted.Select(cluster.Node))
        {
            (await node.StopAsync()).ShouldBe(0);
            await node.StartAgainAsync();
            await WorkersAreThereAsync();
        }

        var took = Clock.GetElapsedTime(start);
        Tasks(await cluster.Front.Api.WaitForAsync(id, "ready")).ShouldAllBe(task => task["failure"] == null);
        return took;
    }

    public async Task<TimeSpan> KeepBusyAsync(TimeSpan time)
    {
        var master = await OnlyMasterWithJobAsync();
        var fence = await FenceAsync(master);
        var start = Clock.GetTimestamp();
        while (Clock.GetElapsedTime(start) < time)
        {
            var id = await NewJobAsync();
            await cluster.Front.Api.WaitForAsync(id, "ready");
            (await FenceAsync(master)).ShouldBe(fence, "somebody was elected that no fault asked for");
        }

        return Clock.GetElapsedTime(start);
    }

    /// <summary>Every job is ready, with every frame.</summary>
    public async Task FinishAsync()
    {
        foreach (var job in jobs)
        {
            await cluster.Front.Api.WaitForAsync(job, "ready");
            var manifest = new Uri(cluster.Front.Http.BaseAddress!, $"/play/{job}/master.m3u8");
            (await Clips.CountFramesAsync(manifest.ToString())).ShouldBe(await Clips.CountFramesAsync(clip));
        }

        jobs.Clear();
    }

    private async Task<TimeSpan> LoseWorkerAsync(
        Func<PlatformProcess, Task> lose, Func<PlatformProcess, Task> bringBack)
    {
        await WorkersAreThereAsync();
        var id = await NewJobAsync();
        const string name = "worker-1";
        await EncodingOnAsync(id, name);
        await lose(cluster.Node(name));
        var start = Clock.GetTimestamp();
        var lost = (await TasksAsync(id)).Where(task => IsOf(task, name)).Select(Id).ToList();
        await Wait.ForAsync(
            async () => (await TasksAsync(id)).Where(task => lost.Contains(Id(task)))
                .All(task => !IsOf(task, name) && (string)task["state"]! is "running" or "committed"),
            Limit, () => "what it did runs nowhere else");
        var took = Clock.GetElapsedTime(start);
        await bringBack(cluster.Node(name));
        await WorkersAreThereAsync();
        var repeated = Tasks(await cluster.Front.Api.WaitForAsync(id, "ready"))
            .Where(task => (int)task["attempt"]! > 1).Select(Id);
        repeated.ShouldBeSubsetOf(lost, "only what was lost is repeated");
        return took;
    }

    private async Task<PlatformProcess> OnlyMasterWithJobAsync()
    {
        if (jobs.Count == 0 || (string?)(await cluster.Front.Api.GetAsync(jobs[^1]))["state"] == "ready")
        {
            await NewJobAsync();
        }

        // One that was master until just now may say so for a moment more.
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

    private async Task<string> NewJobAsync()
    {
        jobs.Add(await cluster.Front.Api.UploadAsync(clip));
        return jobs[^1];
    }

    private async Task<TimeSpan> UntilAnotherAsync(PlatformProcess lost)
    {
        var start = Clock.GetTimestamp();
        var others = cluster.Nodes.Where(node => node != lost).ToList();
        while (Clock.GetElapsedTime(start) < Limit)
        {
            if ((await Task.WhenAll(others.Select(NodeCluster.IsMasterAsync))).Contains(true))
            {
                return Clock.GetElapsedTime(start);
            }

            await Task.Delay(Look, Clock);
        }

        throw new TimeoutException("nobody became the master");
    }

    private Task EncodingOnAsync(string id, string? node) => Wait.ForAsync(
        async () => (await TasksAsync(id)).Any(task => IsEncoding(task) && (node is null || IsOf(task, node))),
        Limit, () => $"{id} never encodes on {node ?? "any node"}");

    private async Task WorkersAreThereAsync()
    {
        var master = await cluster.MasterAsync();
        await Wait.ForAsync(
            async () => (await master.Http.GetFromJsonAsync<JsonNode>("/v1/nodes"))!["nodes"]!.AsArray()
                .Count(node => (bool)node!["connected"]!) == 2,
            Limit, () => "the workers are not there");
    }

    private static async Task<long> FenceAsync(PlatformProcess master) =>
        (long)(await master.Http.GetFromJsonAsync<JsonNode>("/v1/nodes"))!["fence"]!;

    private async Task<List<JsonNode>> TasksAsync(string id) =>
        Tasks(await cluster.Front.Api.GetAsync(id));

    private static List<JsonNode> Tasks(JsonObject media) =>
        media["job"]?["tasks"]?.AsArray().Select(task => task!).ToList() ?? [];

    private static bool IsEncoding(JsonNode task) =>
        (string)task["kind"]! == "encode_chunk" && (string)task["state"]! == "running";

    private static bool IsOf(JsonNode task, string node) =>
        (string?)task["node_id"] == node && (string)task["state"]! is "running" or "assigned";

    private static string Id(JsonNode task) => (string)task["task_id"]!;
}
