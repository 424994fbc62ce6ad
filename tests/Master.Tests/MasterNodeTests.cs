using System.Net;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Master.Tests;

/// <summary>The whole role on its real coordinator, gRPC and object store.</summary>
public sealed class MasterNodeTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_order_becomes_a_job_that_workers_take_to_done()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        using var worker = await HandWorker.JoinAsync(master, "w1", 2);
        await worker.WorkAsync(Stage.Plan(chunks: 3));

        var events = await ReadToTheEndAsync(master, job);

        events.Where(e => e.Revision > 0).Select(e => e.Revision).ShouldBe(Enumerable.Range(1, 9).Select(r => (long)r));
        events.Select(e => e.EventCase).ShouldContain(JobEvent.EventOneofCase.Planned);
        events[^1].Ended.State.ShouldBe(JobState.Done);
    }

    [Fact]
    public async Task The_same_order_is_answered_with_the_same_job()
    {
        await using var master = await MasterNode.StartAsync();
        var first = await OrderAsync(master);
        (await OrderAsync(master)).ShouldBe(first);
        await master.RestartAsync();
        (await OrderAsync(master)).ShouldBe(first);
    }

    [Fact]
    public async Task What_an_order_gets_wrong_is_named()
    {
        await using var master = await MasterNode.StartAsync();
        await RefusedAsync(master, o => o.MediaId = "nonsense", StatusCode.InvalidArgument);
        await RefusedAsync(master, o => o.PresetName = "no_such_preset", StatusCode.InvalidArgument);
        await RefusedAsync(master, o => o.Class = "express", StatusCode.InvalidArgument);
        await RefusedAsync(master, o => o.OutputFormats.Add("smooth"), StatusCode.InvalidArgument);
        await RefusedAsync(master, o => o.SourceKey = "../etc/passwd", StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task A_job_goes_on_after_a_restart_where_it_was()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        using (var worker = await HandWorker.JoinAsync(master, "w1", 1))
        {
            await worker.WorkAsync(Stage.Plan(chunks: 3), lastTask: "chunk-0000");
        }

        await master.RestartAsync();
        using var again = await HandWorker.JoinAsync(master, "w1", 1);
        await again.WorkAsync(Stage.Plan(chunks: 3));

        var done = await master.WaitForAsync(job, j => j.State == JobState.Done);
        done.Tasks.Single(t => t.TaskId == "chunk-0000").Attempt.ShouldBe(1u);
        done.Tasks.ShouldAllBe(t => t.State == TaskState.Committed);
    }

    [Fact]
    public async Task An_attempt_that_survived_a_restart_is_adopted_and_commits()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        TaskAssignment probe;
        using (var worker = await HandWorker.JoinAsync(master, "w1", 1))
        {
            probe = await worker.TakeAsync();
        }

        await master.RestartAsync();
        using var again = await HandWorker.JoinAsync(master, "w1", 1, probe.Attempt);
        again.Fence.ShouldBeGreaterThan(probe.Fence);
        (await again.CommitAsync(probe, Stage.Plan(chunks: 1)))
            .ShouldBe(ReportStatusResponse.Types.Verdict.Accepted);
        (await again.CommitAsync(probe, Stage.Plan(chunks: 1)))
            .ShouldBe(ReportStatusResponse.Types.Verdict.Accepted, "a repeat is answered as the first was");
        (await again.TakeAsync()).Attempt.ShouldBe(
            new AttemptRef { JobId = job, TaskId = "chunk-0000", Attempt = 1 });
    }

    [Fact]
    public async Task Of_reports_that_come_together_each_is_judged_for_itself()
    {
        await using var master = await MasterNode.StartAsync();
        await OrderAsync(master);
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        var probe = await worker.TakeAsync();
        var good = worker.Report(probe, Stage.Plan(chunks: 1));
        var unknown = good.Clone();
        unknown.Attempt.JobId = "nobody";
        var nothing = good.Clone();
        nothing.ClearOutcome();

        var answer = await master.Scheduler.BatchReportStatusAsync(
            new BatchReportStatusRequest { Requests = { unknown, nothing, good } }, cancellationToken: Cancel);

        answer.Responses.Select(response => response.Verdict).ShouldBe([
            ReportStatusResponse.Types.Verdict.Superseded, ReportStatusResponse.Types.Verdict.Unspecified,
            ReportStatusResponse.Types.Verdict.Accepted,
        ]);
        (await worker.TakeAsync()).Attempt.TaskId.ShouldBe("chunk-0000");
    }

    [Fact]
    public async Task A_batch_for_another_master_is_refused_whole_and_may_be_repeated()
    {
        await using var master = await MasterNode.StartAsync();
        await OrderAsync(master);
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        var good = worker.Report(await worker.TakeAsync(), Stage.Plan(chunks: 1));
        var newer = good.Clone();
        newer.Fence++;

        var refusal = await Should.ThrowAsync<RpcException>(async () => await master.Scheduler.BatchReportStatusAsync(
            new BatchReportStatusRequest { Requests = { good, newer } }, cancellationToken: Cancel));
        refusal.StatusCode.ShouldBe(StatusCode.Unavailable);

        var repeated = await master.Scheduler.BatchReportStatusAsync(
            new BatchReportStatusRequest { Requests = { good, good } }, cancellationToken: Cancel);
        repeated.Responses.Select(response => response.Verdict).ShouldAllBe(
            verdict => verdict == ReportStatusResponse.Types.Verdict.Accepted);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(ReportBatch.ReportLimit + 1)]
    public async Task A_batch_of_none_or_of_too_many_reports_is_refused(int reports)
    {
        await using var master = await MasterNode.StartAsync();
        var batch = new BatchReportStatusRequest();
        batch.Requests.Add(Enumerable.Range(0, reports).Select(_ => new ReportStatusRequest()));
        var refusal = await Should.ThrowAsync<RpcException>(async () =>
            await master.Scheduler.BatchReportStatusAsync(batch, cancellationToken: Cancel));
        refusal.StatusCode.ShouldBe(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task A_failed_job_leaves_no_object_of_an_attempt_without_a_commit()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        var probe = await worker.TakeAsync();
        var kept = ObjectKey.AttemptPrefix(Stage.Media, job, "probe", 1) + "plan.json";
        await WriteAsync(master, kept);
        await worker.CommitAsync(probe, Stage.Plan(chunks: 1));
        var chunk = await worker.TakeAsync();
        await WriteAsync(master, ObjectKey.AttemptPrefix(Stage.Media, job, "chunk-0000", 1) + "h264-360.mp4");
        await worker.FailAsync(chunk.Attempt, "source_not_media", permanent: true);

        var failed = await master.WaitForAsync(job, j => j.State == JobState.Failed);

        failed.Failure.Code.ShouldBe("source_not_media");
        failed.Failure.Message.ShouldBe("in the worker's words");
        (await KeysAsync(master)).ShouldBe([kept]);
        await master.Scheduler.RetryJobAsync(new RetryJobRequest { JobId = job }, cancellationToken: Cancel);
        (await worker.TakeAsync()).Attempt.ShouldBe(
            new AttemptRef { JobId = job, TaskId = "chunk-0000", Attempt = 2 });
    }

    [Fact]
    public async Task Forgetting_a_media_waits_until_its_worker_has_stopped()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        var probe = await worker.TakeAsync();
        var forgotten = master.Scheduler.ForgetMediaAsync(
            new ForgetMediaRequest { MediaId = Stage.Media }, cancellationToken: Cancel).ResponseAsync;
        (await worker.NextButSyncAsync()).Cancel.Attempt.ShouldBe(probe.Attempt);
        forgotten.IsCompleted.ShouldBeFalse();
        await worker.FailAsync(probe.Attempt, "cancelled", permanent: false);
        await forgotten;

        var gone = await Should.ThrowAsync<RpcException>(async () =>
            await master.Scheduler.GetJobAsync(new GetJobRequest { JobId = job }, cancellationToken: Cancel));
        gone.StatusCode.ShouldBe(StatusCode.NotFound);
        await master.RestartAsync();
        (await OrderAsync(master)).ShouldNotBe(job);
    }

    [Fact]
    public async Task A_watch_resumes_from_its_cursor_after_a_restart()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        using (var worker = await HandWorker.JoinAsync(master, "w1", 4))
        {
            await worker.WorkAsync(Stage.Plan(chunks: 2));
        }

        await master.WaitForAsync(job, j => j.State == JobState.Done);
        var before = await ReadToTheEndAsync(master, job);
        await master.RestartAsync();
        for (var cursor = 0; cursor <= before.Count; cursor++)
        {
            (await ReadToTheEndAsync(master, job, cursor)).ShouldBe(before.Skip(cursor));
        }
    }

    [Fact]
    public async Task The_schedule_is_there_for_people_who_look_for_a_fault()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        using var worker = await HandWorker.JoinAsync(master, "w1", 1);
        await worker.TakeAsync();

        (await master.Http.GetStringAsync("/schedule", Cancel)).ShouldContain("\"w1\"");
        (await master.Http.GetStringAsync($"/schedule?task_id={job}/probe", Cancel))
            .ShouldContain("TASK_STATE_ASSIGNED");
        (await master.Http.GetAsync("/schedule?task_id=nobody", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Nodes_and_queues_are_told_over_http_and_grpc()
    {
        await using var master = await MasterNode.StartAsync();
        var job = await OrderAsync(master);
        using var worker = await HandWorker.JoinAsync(master, "w1", 2);
        await worker.TakeAsync();

        var nodes = await master.Scheduler.ListNodesAsync(new ListNodesRequest(), cancellationToken: Cancel);
        nodes.Nodes.Single().Running.Single().Attempt.JobId.ShouldBe(job);
        var queues = await master.Scheduler.DescribeQueuesAsync(
            new DescribeQueuesRequest(), cancellationToken: Cancel);
        queues.Jobs.Single().Running.ShouldBe(1);
        var node = JsonNode.Parse(await master.Http.GetStringAsync("/v1/nodes", Cancel))!["nodes"]![0]!;
        ((string)node["node_id"]!).ShouldBe("w1");
        ((string)node["running"]![0]!["kind"]!).ShouldBe("probe");
        ((string)node["running"]![0]!["since"]!).ShouldEndWith("Z");
        var classes = JsonNode.Parse(await master.Http.GetStringAsync("/v1/queues", Cancel))!["classes"]!;
        classes.AsArray().Select(c => (string)c!["class"]!).ShouldBe(["low_latency", "hd", "sd", "background"]);
    }

    [Fact]
    public async Task A_change_of_the_nodes_comes_as_an_event()
    {
        await using var master = await MasterNode.StartAsync();
        using var answer = await master.Http.GetAsync(
            "/v1/nodes/events", HttpCompletionOption.ResponseHeadersRead, Cancel);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        await using var body = await answer.Content.ReadAsStreamAsync(Cancel);
        await using var events = SseParser.Create(body).EnumerateAsync(Cancel).GetAsyncEnumerator(Cancel);
        (await NextAsync("nodes"))["nodes"]!.AsArray().ShouldBeEmpty();
        (await NextAsync("queues"))["jobs"]!.AsArray().ShouldBeEmpty();
        using var worker = await HandWorker.JoinAsync(master, "w1", 2);
        ((string)(await NextAsync("nodes"))["nodes"]![0]!["node_id"]!).ShouldBe("w1");

        async Task<JsonNode> NextAsync(string name)
        {
            (await events.MoveNextAsync()).ShouldBeTrue("the stream ended");
            events.Current.EventType.ShouldBe(name);
            return JsonNode.Parse(events.Current.Data)!;
        }
    }

    private static async Task<string> OrderAsync(MasterNode master) =>
        (await master.Transcoder.TranscodeAsync(Order(), cancellationToken: Cancel)).JobId;

    private static async Task RefusedAsync(MasterNode master, Action<TranscodeRequest> spoil, StatusCode status)
    {
        var order = Order();
        spoil(order);
        var refusal = await Should.ThrowAsync<RpcException>(async () =>
            await master.Transcoder.TranscodeAsync(order, cancellationToken: Cancel));
        refusal.StatusCode.ShouldBe(status);
    }

    private static TranscodeRequest Order() => new()
    {
        MediaId = Stage.Media,
        PresetName = Stage.Preset,
        SourceKey = ObjectKey.Source(Stage.Media),
        OutputFormats = { "hls", "dash" },
    };

    private static async Task<List<JobEvent>> ReadToTheEndAsync(MasterNode master, string job, long after = 0)
    {
        using var call = master.Scheduler.WatchJob(
            new WatchJobRequest { JobId = job, AfterRevision = after }, cancellationToken: Cancel);
        var events = new List<JobEvent>();
        while (await call.ResponseStream.MoveNext(Cancel))
        {
            if (call.ResponseStream.Current.Revision > 0)
            {
                events.Add(call.ResponseStream.Current);
            }
        }

        return events;
    }

    private static async Task WriteAsync(MasterNode master, string key)
    {
        await using var writer = await master.Objects.CreateAsync(key, Cancel);
        await writer.WriteAsync(Encoding.UTF8.GetBytes(key), Cancel);
        await writer.CommitAsync(Cancel);
    }

    private static async Task<List<string>> KeysAsync(MasterNode master)
    {
        var keys = new List<string>();
        await foreach (var found in master.Objects.ListAsync("media/", Cancel))
        {
            keys.Add(found.Key);
        }

        return keys;
    }
}
