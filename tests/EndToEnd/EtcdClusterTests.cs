using System.Net;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>
/// Five nodes on one etcd: the pages and the catalogue on one, two that may be master, two that work. Each is a process
/// of its own; they share etcd and the folder of objects, and nothing else.
/// </summary>
public sealed class EtcdClusterTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();
    private readonly List<PlatformProcess> nodes = [];
    private EtcdMember etcd = null!;
    private PlatformProcess front = null!;
    private string clip = null!;

    public async ValueTask InitializeAsync()
    {
        clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 24, size: "854x480");
        etcd = (await EtcdMember.StartAsync(Path.Combine(folder.Path, "etcd")))[0];
        var starts = await Task.WhenAll(
            StartAsync("front", "catalog,upload,playback,dashboard"),
            StartAsync("master-1", "master"),
            StartAsync("master-2", "master"),
            StartAsync("worker-1", "worker"),
            StartAsync("worker-2", "worker"));
        nodes.AddRange(starts);
        front = nodes[0];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }

        await etcd.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_job_outlives_the_node_that_schedules_it_and_nothing_of_it_is_done_twice()
    {
        var id = await front.Api.UploadAsync(clip);
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");

        var first = await MasterAsync();
        await first.KillAsync();

        var media = await front.Api.WaitForAsync(id, "ready");
        (await MasterAsync()).ShouldNotBe(first);
        var tasks = Tasks(media);
        tasks.ShouldAllBe(task => (string)task["state"]! == "committed");
        tasks.ShouldAllBe(task => (int)task["attempt"]! == 1, $"what ran was taken over: {media["job"]}");
        tasks.Select(task => (string)task["node_id"]!).Distinct().Order().ShouldBe(["worker-1", "worker-2"]);
        await ShouldPlayWholeAsync(id);
    }

    [Fact]
    public async Task What_a_lost_worker_was_doing_another_one_does_and_only_that()
    {
        var id = await front.Api.UploadAsync(clip);
        await UntilAsync(
            id,
            tasks => tasks.Any(task => IsEncoding(task) && (string)task["node_id"]! == "worker-1"),
            "encodes there");
        await nodes.Single(node => node.DataFolder.EndsWith("worker-1", StringComparison.Ordinal)).KillAsync();

        var media = await front.Api.WaitForAsync(id, "ready");

        var repeated = Tasks(media).Where(task => (int)task["attempt"]! > 1).ToList();
        repeated.ShouldNotBeEmpty();
        repeated.ShouldAllBe(task => (string)task["node_id"]! == "worker-2" && (int)task["attempt"]! == 2);
        await ShouldPlayWholeAsync(id);
    }

    [Fact]
    public async Task A_master_that_stood_still_past_its_lease_writes_nothing_any_more()
    {
        var id = await front.Api.UploadAsync(clip);
        await UntilAsync(id, tasks => tasks.Any(IsEncoding), "encodes");
        var first = await MasterAsync();

        await first.PauseAsync();
        var media = await front.Api.WaitForAsync(id, "ready");
        var second = await MasterAsync();
        await first.ContinueAsync();

        second.ShouldNotBe(first);
        await Wait.ForAsync(
            async () => !await IsMasterAsync(first), Limit, () => "it still takes itself for the master");
        Tasks(media).ShouldAllBe(task => (string)task["state"]! == "committed");
        // The next job is the new master's, and the old one's workers are its too.
        await front.Api.WaitForAsync(await front.Api.UploadAsync(clip, 1 << 20, ("title", "next")), "ready");
        (await IsMasterAsync(second)).ShouldBeTrue();
    }

    private async Task<PlatformProcess> StartAsync(string name, string roles) => await PlatformProcess.StartAsync(
        Path.Combine(folder.Path, name),
        smallDisk: null,
        new Dictionary<string, string>
        {
            ["Coordination:Mode"] = "Etcd",
            ["Coordination:Endpoints:0"] = etcd.Address,
            ["Objects:Folder"] = Path.Combine(folder.Path, "objects"),
            ["Worker:Slots"] = "2",
        },
        "--target", roles, "--node", name);

    /// <summary>The node that says that it is the master, once one does.</summary>
    private async Task<PlatformProcess> MasterAsync()
    {
        PlatformProcess? master = null;
        await Wait.ForAsync(
            async () =>
            {
                foreach (var node in nodes.Where(n => n.DataFolder.Contains("master-", StringComparison.Ordinal)))
                {
                    master = await IsMasterAsync(node) ? node : master;
                }

                return master is not null;
            },
            Limit, () => "nobody is the master");
        return master!;
    }

    private static async Task<bool> IsMasterAsync(PlatformProcess node)
    {
        if (!node.IsRunning)
        {
            return false;
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            using var answer = await node.Http.GetAsync("/schedule", limit.Token);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (OperationCanceledException)
        {
            // It stands still.
            return false;
        }
    }

    private async Task<IReadOnlyList<JsonNode>> UntilAsync(
        string id, Func<IReadOnlyList<JsonNode>, bool> condition, string what)
    {
        JsonObject media = [];
        await Wait.ForAsync(
            async () => condition(Tasks(media = await front.Api.GetAsync(id))), Limit, () => $"never {what}: {media}");
        return Tasks(media);
    }

    private async Task ShouldPlayWholeAsync(string id) =>
        (await Clips.CountFramesAsync(new Uri(front.Http.BaseAddress!, $"/play/{id}/master.m3u8").ToString()))
        .ShouldBe(await Clips.CountFramesAsync(clip));

    private static bool IsEncoding(JsonNode task) =>
        (string)task["kind"]! == "encode_chunk" && (string)task["state"]! == "running";

    private static IReadOnlyList<JsonNode> Tasks(JsonObject media) =>
        media["job"]?["tasks"]?.AsArray().Select(task => task!).ToList() ?? [];
}
