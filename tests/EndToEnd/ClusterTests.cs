using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>Jobs on several nodes while nodes are lost; each test leaves all of them running.</summary>
public abstract class ClusterTests(ClusterFixture cluster)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    protected PlatformProcess Front => cluster.Nodes.Front;

    [Fact]
    public async Task A_job_outlives_the_node_that_schedules_it_and_nothing_of_it_is_done_twice()
    {
        var id = await UploadAsync();
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");

        var first = await cluster.Nodes.MasterAsync();
        await first.KillAsync();

        var media = await Front.Api.WaitForAsync(id, "ready");
        (await cluster.Nodes.MasterAsync()).ShouldNotBe(first);
        var tasks = Tasks(media);
        tasks.ShouldAllBe(task => (string)task["state"]! == "committed");
        tasks.ShouldAllBe(task => (int)task["attempt"]! == 1, $"what ran was taken over: {media["job"]}");
        tasks.Select(task => (string)task["node_id"]!).Distinct().Order().ShouldBe(["worker-1", "worker-2"]);
        await ShouldPlayWholeAsync(id);
        await first.StartAgainAsync();
    }

    [Fact]
    public async Task What_a_lost_worker_was_doing_another_one_does_and_only_that()
    {
        var id = await UploadAsync();
        var lost = cluster.Nodes.Node("worker-1");
        await UntilAsync(
            id,
            tasks => tasks.Any(task => IsEncoding(task) && (string)task["node_id"]! == "worker-1"
                && (double)task["fraction"]! < 0.5),
            "encodes there");
        await lost.KillAsync();

        var media = await Front.Api.WaitForAsync(id, "ready");

        var repeated = Tasks(media).Where(task => (int)task["attempt"]! > 1).ToList();
        repeated.ShouldNotBeEmpty();
        repeated.ShouldAllBe(task => (string)task["node_id"]! == "worker-2" && (int)task["attempt"]! == 2);
        await ShouldPlayWholeAsync(id);
        await lost.StartAgainAsync();
    }

    [Fact]
    public async Task A_master_that_stood_still_past_its_lease_leaves_its_job_to_the_next()
    {
        var id = await UploadAsync();
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");
        var first = await cluster.Nodes.MasterAsync();

        await first.PauseAsync();
        var second = await cluster.Nodes.MasterAsync();
        // It has not been told of its end, and has what it was about to write.
        await first.ContinueAsync();

        second.ShouldNotBe(first);
        var media = await Front.Api.WaitForAsync(id, "ready");
        await Wait.ForAsync(
            async () => !await NodeCluster.IsMasterAsync(first), Limit, () => "it still takes itself for the master");
        (await NodeCluster.IsMasterAsync(second)).ShouldBeTrue();
        Tasks(media).ShouldAllBe(task => (string)task["state"]! == "committed");
        await ShouldPlayWholeAsync(id);
    }

    [Fact]
    public async Task A_rolling_restart_of_masters_and_workers_fails_no_task()
    {
        var id = await UploadAsync();
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");

        foreach (var node in ((string[])["worker-1", "master-1", "master-2", "worker-2"]).Select(cluster.Nodes.Node))
        {
            (await node.StopAsync()).ShouldBe(0);
            await node.StartAgainAsync();
            await AllAreThereAsync();
        }

        var tasks = Tasks(await Front.Api.WaitForAsync(id, "ready"));
        tasks.ShouldAllBe(task => (string)task["state"]! == "committed");
        tasks.ShouldAllBe(task => task["failure"] == null);
        await ShouldPlayWholeAsync(id);
    }

    /// <summary>With both workers there to share it.</summary>
    protected async Task<string> UploadAsync()
    {
        await AllAreThereAsync();
        return await Front.Api.UploadAsync(cluster.Clip);
    }

    private async Task AllAreThereAsync()
    {
        var master = await cluster.Nodes.MasterAsync();
        JsonNode? nodes = null;
        await Wait.ForAsync(
            async () =>
            {
                nodes = await master.Http.GetFromJsonAsync<JsonNode>("/v1/nodes");
                return nodes!["nodes"]!.AsArray().Count(node => (bool)node!["connected"]!) == 2;
            },
            Limit, () => $"the workers are not there: {nodes}");
    }

    protected async Task UntilAsync(string id, Func<IReadOnlyList<JsonNode>, bool> condition, string what)
    {
        JsonObject media = [];
        await Wait.ForAsync(
            async () => condition(Tasks(media = await Front.Api.GetAsync(id))), Limit, () => $"never {what}: {media}");
    }

    protected async Task ShouldPlayWholeAsync(string id) =>
        (await Clips.CountFramesAsync(new Uri(Front.Http.BaseAddress!, $"/play/{id}/master.m3u8").ToString()))
        .ShouldBe(await Clips.CountFramesAsync(cluster.Clip));

    protected static bool IsEncoding(JsonNode task) =>
        (string)task["kind"]! == "encode_chunk" && (string)task["state"]! == "running";

    protected static IReadOnlyList<JsonNode> Tasks(JsonObject media) =>
        media["job"]?["tasks"]?.AsArray().Select(task => task!).ToList() ?? [];
}
