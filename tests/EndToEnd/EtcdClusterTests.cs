using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>Jobs on several nodes while nodes are lost; each test leaves all of them running.</summary>
public sealed class EtcdClusterTests(EtcdCluster cluster) : IClassFixture<EtcdCluster>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private PlatformProcess Front => cluster.Front;

    [Fact]
    public async Task A_job_outlives_the_node_that_schedules_it_and_nothing_of_it_is_done_twice()
    {
        var id = await Front.Api.UploadAsync(cluster.Clip);
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");

        var first = await cluster.MasterAsync();
        await first.KillAsync();

        var media = await Front.Api.WaitForAsync(id, "ready");
        (await cluster.MasterAsync()).ShouldNotBe(first);
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
        var id = await Front.Api.UploadAsync(cluster.Clip);
        var lost = cluster.Node("worker-1");
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
    public async Task A_master_that_stood_still_past_its_lease_writes_nothing_any_more()
    {
        var id = await Front.Api.UploadAsync(cluster.Clip);
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");
        var first = await cluster.MasterAsync();

        await first.PauseAsync();
        var media = await Front.Api.WaitForAsync(id, "ready");
        var second = await cluster.MasterAsync();
        await first.ContinueAsync();

        second.ShouldNotBe(first);
        await Wait.ForAsync(
            async () => !await EtcdCluster.IsMasterAsync(first), Limit, () => "it still takes itself for the master");
        Tasks(media).ShouldAllBe(task => (string)task["state"]! == "committed");
        // The next job is the new master's, and the old one's workers are its too.
        await Front.Api.WaitForAsync(await Front.Api.UploadAsync(cluster.Clip, 1 << 20, ("title", "next")), "ready");
        (await EtcdCluster.IsMasterAsync(second)).ShouldBeTrue();
    }

    private async Task UntilAsync(string id, Func<IReadOnlyList<JsonNode>, bool> condition, string what)
    {
        JsonObject media = [];
        await Wait.ForAsync(
            async () => condition(Tasks(media = await Front.Api.GetAsync(id))), Limit, () => $"never {what}: {media}");
    }

    private async Task ShouldPlayWholeAsync(string id) =>
        (await Clips.CountFramesAsync(new Uri(Front.Http.BaseAddress!, $"/play/{id}/master.m3u8").ToString()))
        .ShouldBe(await Clips.CountFramesAsync(cluster.Clip));

    private static bool IsEncoding(JsonNode task) =>
        (string)task["kind"]! == "encode_chunk" && (string)task["state"]! == "running";

    private static IReadOnlyList<JsonNode> Tasks(JsonObject media) =>
        media["job"]?["tasks"]?.AsArray().Select(task => task!).ToList() ?? [];
}
