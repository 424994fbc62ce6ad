using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>The nodes and the queues as people look at them.</summary>
public sealed class ClusterViewTests
{
    private const string Other = "01jdf3k5v8e9x2m4n6p8q0zzzz";

    [Fact]
    public void A_node_is_told_with_its_load_and_what_it_runs()
    {
        var stage = new Stage();
        var joined = stage.Now;
        var session = stage.Join("w1", 2);
        stage.Pass(1);
        stage.Order();
        stage.Pass(2);
        stage.Tell(session, new WorkerHeartbeat
        {
            CpuLoad = 0.75,
            MemoryFreeBytes = 10,
            MemoryTotalBytes = 20,
            ScratchFreeBytes = 30,
            Tasks = { new TaskProgress { Attempt = Attempt("probe"), Fraction = 0.5, Speed = 3 } },
        });

        var node = Nodes(stage).Nodes.Single();
        (node.NodeId, node.Connected, node.Slots).ShouldBe(("w1", true, 2));
        node.Since.ToDateTimeOffset().ShouldBe(joined);
        (node.CpuLoad, node.MemoryFreeBytes, node.MemoryTotalBytes, node.ScratchFreeBytes).ShouldBe((0.75, 10, 20, 30));
        var running = node.Running.Single();
        running.Attempt.ShouldBe(Attempt("probe"));
        (running.Kind, running.MediaId, running.Class).ShouldBe((TaskKind.Probe, Stage.Media, "low_latency"));
        (running.Fraction, running.Speed).ShouldBe((0.5, 3));
        running.Since.ToDateTimeOffset().ShouldBe(joined.AddSeconds(1));
    }

    [Fact]
    public void A_lost_node_stays_in_sight_while_it_may_come_back_with_its_work()
    {
        var stage = new Stage();
        var session = stage.Join("w1", 1);
        stage.Order();
        stage.Pass(5);
        stage.Leave(session);
        var lost = Nodes(stage).Nodes.Single();
        lost.Connected.ShouldBeFalse();
        lost.Since.ToDateTimeOffset().ShouldBe(stage.Now);
        lost.Running.Count.ShouldBe(1);
        stage.Join("w1", 1, "j1/probe#1");
        Nodes(stage).Nodes.Single().Connected.ShouldBeTrue();
    }

    [Fact]
    public void An_attempt_of_a_job_that_nobody_knows_is_told_without_a_media()
    {
        var stage = new Stage();
        stage.Join("w1", 1, "j9/probe#1");
        var stray = Nodes(stage).Nodes.Single().Running.Single();
        (stray.MediaId, stray.Kind).ShouldBe(("", TaskKind.Unspecified));
    }

    [Fact]
    public void Queues_tell_tasks_by_the_class_that_serves_them()
    {
        var stage = new Stage();
        stage.Join("w1", 3);
        stage.Order("j1");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 5));
        stage.Order("j2", Other, "background");
        stage.Pass(4);

        var queues = Queues(stage);
        queues.Classes.Select(c => c.Class).ShouldBe(["low_latency", "hd", "sd", "background"]);
        var (urgent, hd, background) = (queues.Classes[0], queues.Classes[1], queues.Classes[3]);
        (urgent.Jobs, urgent.Ready, urgent.Running).ShouldBe((0, 0, 3), "chunk 0, the sound, the poster");
        (hd.Jobs, hd.Ready, hd.Running).ShouldBe((1, 4, 0));
        (background.Jobs, background.Ready, background.Running).ShouldBe((1, 1, 0), "its probe waits too");
        hd.OldestWaitSeconds.ShouldBe(4);
        urgent.OldestWaitSeconds.ShouldBe(0);
        queues.UnfinishedJobs.ShouldBe(2);
        var job = queues.Jobs[0];
        (job.JobId, job.MediaId, job.Tasks, job.Ready, job.Running, job.Committed)
            .ShouldBe(("j1", Stage.Media, 9, 4, 3, 1));
    }

    [Fact]
    public void A_task_that_waits_for_its_next_attempt_is_retrying_and_not_ready()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        stage.Fail("w1", "j1/probe#1");
        var job = Queues(stage).Jobs.Single();
        (job.Ready, job.Running, job.Retrying).ShouldBe((0, 0, 1));
    }

    private static ListNodesResponse Nodes(Stage stage) =>
        stage.Ask<ListNodesResponse>(request => new NodesAsked(request));

    private static DescribeQueuesResponse Queues(Stage stage) =>
        stage.Ask<DescribeQueuesResponse>(request => new QueuesAsked(request));

    private static AttemptRef Attempt(string task) => new() { JobId = "j1", TaskId = task, Attempt = 1 };
}
