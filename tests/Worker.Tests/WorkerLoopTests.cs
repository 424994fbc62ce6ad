using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Hexcast.Harness;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;
using Hexcast.Worker.Attempts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker.Tests;

/// <summary>The worker as it is hosted, against a master that the test plays, over gRPC.</summary>
public sealed class WorkerLoopTests : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hexcast-node-").FullName;
    private readonly FakeMaster master = new();
    private readonly BrokenClock clock = new();
    private readonly HexcastNode node;

    public WorkerLoopTests()
    {
        var presets = Directory.CreateDirectory(Path.Combine(folder, "presets")).FullName;
        foreach (var preset in Directory.GetFiles(Path.Combine(WorkerFixture.Checkout, "presets")))
        {
            File.Copy(preset, Path.Combine(presets, Path.GetFileName(preset)));
        }

        var settings = new NodeSettings
        {
            DataFolder = folder,
            NodeId = "node-1",
            Http = new IPEndPoint(IPAddress.Loopback, FreePort()),
            Grpc = new IPEndPoint(IPAddress.Loopback, FreePort()),
            LogFile = Path.Combine(folder, "log"),
        };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([
            new("Worker:HeartbeatInterval", "00:00:00.1"), new("Worker:Slots", "2"),
            new("Worker:DrainWithin", "00:00:02"),
        ]).Build();
        node = HexcastHost.Build(
            settings, configuration,
            [new FakeMaster.Module(master), new WorkerModule(), new BrokenClock.Module(clock)]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IObjectStore Store => node.Services.GetRequiredService<IObjectStore>();

    private string Scratch => Path.Combine(folder, "scratch");

    [Fact]
    public async Task A_worker_says_hello_runs_what_it_is_given_and_reports_it()
    {
        var session = await StartAsync(Clips.WithSound);
        var hello = await session.WelcomeAsync(fence: 7);
        hello.NodeId.ShouldBe("node-1");
        hello.Slots.ShouldBe(2);
        hello.Running.ShouldBeEmpty();

        await session.AssignAsync(WorkerFixture.Probe());
        var probed = await master.NextReportAsync();
        probed.NodeId.ShouldBe("node-1");
        probed.Fence.ShouldBe(7);
        probed.Commit.Plan.TotalFrames.ShouldBe(300);

        await session.AssignAsync(WorkerFixture.Chunk(probed.Commit.Result, 0));
        await session.AssignAsync(WorkerFixture.Audio(probed.Commit.Result));
        var reports = new[] { await master.NextReportAsync(), await master.NextReportAsync() };
        reports.Select(r => r.Attempt.TaskId).Order().ShouldBe(["audio", "chunk-0000"]);
        reports.ShouldAllBe(r => r.Commit != null);
        await session.HeartbeatAsync(
            beat => beat.Tasks.Count == 0 && beat.MemoryFreeBytes > 0 && beat.ScratchFreeBytes > 0);
    }

    [Fact]
    public async Task Encoding_goes_on_while_the_master_is_away_and_the_next_one_gets_the_report()
    {
        var (first, plan) = await StartAndProbeAsync(Clips.WithSound);
        var task = WorkerFixture.Chunk(plan, 1);
        await first.AssignAsync(task);
        await first.HeartbeatAsync(beat => beat.Tasks.Any(t => t.Attempt.Equals(task.Attempt)));
        first.Break();

        var second = await master.NextSessionAsync();
        var hello = await second.WelcomeAsync(fence: 8);
        if (hello.Running.Count == 1)
        {
            hello.Running[0].TaskId.ShouldBe("chunk-0001");
        }

        var report = await master.NextReportAsync();
        report.Attempt.TaskId.ShouldBe("chunk-0001");
        report.Commit.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_report_without_an_answer_is_sent_again()
    {
        var (session, plan) = await StartAndProbeAsync(Clips.Silent);
        var answers = 0;
        master.Answer = _ => ++answers < 3
            ? throw new RpcException(new Status(StatusCode.Unavailable, "not yet"))
            : Verdict.Accepted;
        await session.AssignAsync(WorkerFixture.Poster(plan));

        for (var i = 0; i < 3; i++)
        {
            (await master.NextReportAsync()).Commit.Result.Key.ShouldEndWith("poster.jpg");
        }

        await session.HeartbeatAsync(beat => beat.Tasks.Count == 0);
    }

    [Fact]
    public async Task An_attempt_that_lost_deletes_what_it_wrote()
    {
        var (session, plan) = await StartAndProbeAsync(Clips.Silent);
        master.Answer = _ => Verdict.Superseded;
        await session.AssignAsync(WorkerFixture.Chunk(plan, 0));
        var lost = await master.NextReportAsync();

        await Wait.UntilAsync(() => !File.Exists(Store.LocalPath(lost.Commit.Result.Key)));
        (await KeysAsync()).ShouldBe([plan.Key]);
    }

    [Fact]
    public async Task A_cancelled_task_is_reported_as_cancelled_and_leaves_nothing()
    {
        var (session, plan) = await StartAndProbeAsync(Clips.Endless);
        var task = WorkerFixture.Chunk(plan, 1);
        await session.AssignAsync(task);
        await session.HeartbeatAsync(beat => Encodes(beat, task));

        await session.CancelAsync(task);

        (await master.NextReportAsync()).Failure.Code.ShouldBe(FailureCodes.Cancelled);
        (await KeysAsync()).ShouldBe([plan.Key]);
        Directory.EnumerateFileSystemEntries(Scratch).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_stopped_node_leaves_no_tool_and_no_scratch_file_behind()
    {
        var (session, plan) = await StartAndProbeAsync(Clips.Endless);
        var task = WorkerFixture.Chunk(plan, 1);
        await session.AssignAsync(task);
        await session.HeartbeatAsync(beat => Encodes(beat, task));
        Processes.With(folder).ShouldNotBeEmpty();

        session.Break();
        await node.StopAsync();

        Processes.With(folder).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(Scratch).ShouldBeEmpty();
    }

    [Fact]
    public async Task At_the_masters_word_the_worker_moves_to_another_stream_without_a_break()
    {
        var (first, plan) = await StartAndProbeAsync(Clips.Endless);
        var task = WorkerFixture.Chunk(plan, 1);
        await first.AssignAsync(task);
        await first.HeartbeatAsync(beat => Encodes(beat, task));

        await first.SendAsync(new MasterMessage { Reconnect = new Reconnect() });
        var second = await master.NextSessionAsync();
        await first.HeartbeatAsync(beat => Encodes(beat, task));
        (await second.WelcomeAsync(fence: 7)).Running.ShouldBe([task.Attempt]);

        await Should.ThrowAsync<OperationCanceledException>(first.Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        await second.HeartbeatAsync(beat => Encodes(beat, task));
        second.Break();
    }

    [Fact]
    public async Task A_node_that_stops_tells_the_master_and_hands_back_what_it_cannot_finish()
    {
        var (session, plan) = await StartAndProbeAsync(Clips.Endless);
        var task = WorkerFixture.Chunk(plan, 1);
        await session.AssignAsync(task);
        await session.HeartbeatAsync(beat => Encodes(beat, task));

        var stopping = node.StopAsync();
        await session.HeartbeatAsync(beat => beat.Leaving);
        await session.AssignAsync(WorkerFixture.Poster(plan));

        var given = new[] { await master.NextReportAsync(), await master.NextReportAsync() };
        given.Select(r => (r.Attempt.TaskId, r.Failure.Code)).Order().ShouldBe(
            [("chunk-0001", FailureCodes.HandedBack), ("poster", FailureCodes.HandedBack)]);
        await stopping;
        Processes.With(folder).ShouldBeEmpty();
        (await KeysAsync()).ShouldBe([plan.Key]);
    }

    [Fact]
    public async Task Scratch_files_of_a_process_that_crashed_are_gone_after_the_start()
    {
        Directory.CreateDirectory(Path.Combine(Scratch, "job-chunk-0000-1"));
        await File.WriteAllTextAsync(Path.Combine(Scratch, "job-chunk-0000-1", "h264-720.mp4"), "left", Cancel);
        await StartAsync(Clips.Silent);
        Directory.EnumerateFileSystemEntries(Scratch).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_worker_whose_errand_throws_takes_the_node_down_with_it()
    {
        var session = await StartAsync(Clips.Endless);
        await session.WelcomeAsync(fence: 7);
        await session.AssignAsync(WorkerFixture.Probe());
        var plan = (await master.NextReportAsync()).Commit.Result;
        var task = WorkerFixture.Chunk(plan, 1);
        await session.AssignAsync(task);
        await session.HeartbeatAsync(beat => Encodes(beat, task));

        clock.Broken = true;
        session.Break();

        await Should.ThrowAsync<TimeZoneNotFoundException>(node.Died.WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        Processes.With(folder).ShouldBeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        NodeEvidence.KeepLog(Path.Combine(folder, "log"));
        Directory.Delete(folder, recursive: true);
    }

    // Heartbeats that were sent before may still tell of earlier tasks.
    private static bool Encodes(WorkerHeartbeat beat, TaskAssignment task) =>
        beat.Tasks.Any(t => t.Attempt.Equals(task.Attempt) && t is { Fraction: > 0, Speed: > 0 });

    private async Task<MasterSession> StartAsync(string clip)
    {
        var copy = Path.Combine(folder, "incoming");
        File.Copy(clip, copy);
        await Store.AdoptFileAsync(ObjectKey.Source(WorkerFixture.MediaId), copy, Cancel);
        await node.StartAsync(Cancel);
        return await master.NextSessionAsync();
    }

    private async Task<(MasterSession Session, ObjectRef Plan)> StartAndProbeAsync(string clip)
    {
        var session = await StartAsync(clip);
        await session.WelcomeAsync(fence: 7);
        await session.AssignAsync(WorkerFixture.Probe());
        return (session, (await master.NextReportAsync()).Commit.Result);
    }

    private async Task<List<string>> KeysAsync()
    {
        List<string> keys = [];
        await foreach (var found in Store.ListAsync("media/", Cancel))
        {
            keys.Add(found.Key);
        }

        return keys;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
