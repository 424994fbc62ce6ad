using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>Settings that workers follow, nodes that go out of use: the whole role on its real coordinator.</summary>
public sealed class NodeUseTests
{
    private const string Slots = "/hexcast/settings/slots/w1";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_setting_reaches_workers_when_it_is_made_changed_and_taken_back()
    {
        await using var master = await MasterNode.StartAsync();
        await master.Coordinator.PutAsync("/hexcast/rules/before", ByteString.CopyFromUtf8("1"), Cancel);
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        var known = await Known(worker);
        await master.Coordinator.PutAsync(Slots, ByteString.CopyFromUtf8("3"), Cancel);
        var made = await NextOf(worker, Slots);
        (made.Value.ToStringUtf8(), made.Deleted).ShouldBe(("3", false));
        await master.Coordinator.DeleteAsync(Slots, Cancel);
        (await NextOf(worker, Slots)).ShouldBe(new SyncEvent { Key = Slots, Seq = made.Seq + 1, Deleted = true });
        made.Seq.ShouldBeGreaterThan(known);
    }

    [Fact]
    public async Task A_new_master_knows_the_settings_that_were_made_before()
    {
        await using var master = await MasterNode.StartAsync();
        await master.Coordinator.PutAsync(Slots, ByteString.CopyFromUtf8("3"), Cancel);
        await master.RestartAsync();
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        (await worker.NextAsync()).Snapshot.Entries.Select(e => (e.Key, e.Value.ToStringUtf8()))
            .ShouldBe([(Slots, "3")]);
    }

    [Fact]
    public async Task A_node_is_drained_over_http_and_stays_so_after_a_restart_until_it_is_taken_back()
    {
        await using var master = await MasterNode.StartAsync();
        using (var worker = await HandWorker.JoinAsync(master, "w1", 1))
        {
            using var drained = await master.Http.PutAsync(
                "/v1/nodes/w1/drain?hand_back_after_seconds=60", null, Cancel);
            drained.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await worker.NextButSyncAsync()).Drain.Draining.ShouldBeTrue();
        }

        await master.RestartAsync();
        using var again = await HandWorker.JoinAsync(master, "w1", 1);
        (await again.NextButSyncAsync()).Drain.Draining.ShouldBeTrue();
        var node = (await master.Http.GetFromJsonAsync<JsonNode>("/v1/nodes", Cancel))!;
        ((bool)node["nodes"]![0]!["draining"]!, (string)node["master_node_id"]!).ShouldBe((true, "local"));
        ((long)node["fence"]!).ShouldBe(again.Fence);

        using var back = await master.Http.DeleteAsync("/v1/nodes/w1/drain", Cancel);
        back.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await again.NextButSyncAsync()).Drain.Draining.ShouldBeFalse();
    }

    [Fact]
    public async Task A_task_is_scheduled_once_over_grpc_and_people_see_why_it_waits()
    {
        await using var master = await MasterNode.StartAsync(("Master:QueueLimit", "1"));
        var order = new ScheduleTaskRequest
        {
            RequestId = "r1",
            MediaId = Stage.Media,
            SourceKey = $"sources/{Stage.Media}",
            Task = new OneTask { Needs = new TaskNeeds { Zone = "north" }, Probe = new ProbeWork() },
        };
        using var south = await HandWorker.JoinAsync(master, "w1", 1);
        using (await HandWorker.JoinAsync(master, "w2", 1, new NodeLabels { Zone = "north" }))
        {
            await master.Http.PutAsync("/v1/nodes/w2/drain", null, Cancel);
            var given = await master.Scheduler.ScheduleTaskAsync(order, cancellationToken: Cancel);
            (await master.Scheduler.ScheduleTaskAsync(order, cancellationToken: Cancel)).ShouldBe(given);
            var another = order.Clone();
            another.RequestId = "r2";
            var refusal = await Should.ThrowAsync<RpcException>(async () =>
                await master.Scheduler.ScheduleTaskAsync(another, cancellationToken: Cancel));
            refusal.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
            var waits = (await master.Http.GetFromJsonAsync<JsonNode>(
                $"/schedule?task_id={given.JobId}/{given.TaskId}", Cancel))!;
            waits["nodes"]!.AsArray().Select(n => (string)n!["refuses"]!).ShouldBe(
                ["it is not in zone north", "it is drained"]);
        }
    }

    [Theory]
    [InlineData("id")]
    [InlineData("work")]
    [InlineData("preset")]
    [InlineData("class")]
    [InlineData("seconds")]
    [InlineData("node")]
    public async Task What_a_task_gets_wrong_is_named(string what)
    {
        await using var master = await MasterNode.StartAsync();
        var order = new ScheduleTaskRequest
        {
            RequestId = what == "id" ? "" : "r1",
            MediaId = Stage.Media,
            SourceKey = $"sources/{Stage.Media}",
            Class = what == "class" ? "express" : "",
            SourceNode = what == "node" ? "Not a name" : "",
            Task = what == "work" ? new OneTask() : new OneTask
            {
                MediaSeconds = what == "seconds" ? double.NaN : 0,
                Probe = new ProbeWork { Preset = what == "preset" ? "video: [{height: -1}]" : "" },
            },
        };
        var refusal = await Should.ThrowAsync<RpcException>(async () =>
            await master.Scheduler.ScheduleTaskAsync(order, cancellationToken: Cancel));
        refusal.StatusCode.ShouldBe(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task A_preset_that_only_the_catalogues_node_has_comes_with_the_order_and_outlives_the_master()
    {
        await using var master = await MasterNode.StartAsync();
        const string preset = "name: ours\nvideo: [{height: 360, max_bitrate_kbps: 700}]\n";
        await master.Transcoder.TranscodeAsync(
            new TranscodeRequest
            {
                MediaId = Stage.Media, SourceKey = $"sources/{Stage.Media}", PresetName = "ours", Preset = preset,
            },
            cancellationToken: Cancel);
        await master.RestartAsync();
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        (await worker.TakeAsync()).Probe.Preset.ShouldBe(preset);
    }

    [Theory]
    [InlineData("/v1/nodes/nobody/drain", HttpStatusCode.NotFound)]
    [InlineData("/v1/nodes/w1/drain?hand_back_after_seconds=soon", HttpStatusCode.BadRequest)]
    [InlineData("/v1/nodes/w1/drain?hand_back_after_seconds=90000", HttpStatusCode.BadRequest)]
    public async Task What_a_drain_gets_wrong_is_named(string path, HttpStatusCode status)
    {
        await using var master = await MasterNode.StartAsync();
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        using var refused = await master.Http.PutAsync(path, null, Cancel);
        refused.StatusCode.ShouldBe(status);
    }

    private static async Task<long> Known(HandWorker worker) => (await worker.NextAsync()).Snapshot.Seq;

    private static async Task<SyncEvent> NextOf(HandWorker worker, string key)
    {
        while (true)
        {
            if ((await worker.NextAsync()).Sync is { } change && change.Key == key)
            {
                return change;
            }
        }
    }
}
