using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>Workers that are gone, for a while or for ever, and what masters make of it.</summary>
public sealed class LostWorkerTests
{
    private const string Other = "01jdf3k5v8e9x2m4n6p8q0zzzz";

    [Fact]
    public void A_worker_that_never_comes_back_is_forgotten_some_time_after_the_jobs_that_it_worked_on()
    {
        var stage = KilledInAProbe();
        stage.Pass(3_600);
        Node(stage, "w1").ShouldNotBeNull("its attempt may still commit");
        Finish(stage);
        stage.Sweep("j1");
        stage.Pass(0);
        stage.Job("j1").State.ShouldBe(JobState.Done);
        Node(stage, "w1").ShouldBeNull();
        Open(stage).ShouldBeEmpty();
        stage.Script.ShouldEndWith("sweep j1: probe-1\n", Case.Sensitive, "it may have written until it was lost");
        stage.Sweep("j1");
        stage.Core.NextWake.ShouldNotBeNull("only the worker that is there is waited for")
            .ShouldBeGreaterThan(stage.Now);
    }

    [Fact]
    public void While_it_may_come_back_what_it_has_of_an_ended_job_stays_open_also_for_the_next_master()
    {
        var stage = KilledInAProbe();
        Finish(stage);
        stage.Sweep("j1");
        var nearlyAll = WorkerTable.MayReturnWithin - TimeSpan.FromMinutes(2);
        stage.Pass(nearlyAll.TotalSeconds / 2);
        stage.Restart();
        stage.Pass(nearlyAll.TotalSeconds / 2);
        Open(stage).ShouldBe(["probe"]);
        var node = Node(stage, "w1").ShouldNotBeNull();
        (node.Connected, node.Running.Count).ShouldBe((false, 0), "nobody knows that it runs anything");
        stage.Pass(180);
        Open(stage).ShouldBeEmpty();
        Node(stage, "w1").ShouldBeNull();
    }

    [Fact]
    public void A_worker_is_counted_as_lost_once_however_many_masters_follow()
    {
        var stage = KilledInAProbe();
        stage.GivenUp.ShouldBe(["w1"]);
        for (var i = 0; i < 3; i++)
        {
            stage.Restart();
            stage.Join("w2", 2, "j1/probe#2");
            stage.Pass(8);
        }

        stage.GivenUp.ShouldBe(["w1"]);
        Finish(stage);
    }

    [Fact]
    public void What_a_lost_worker_ran_is_given_out_by_the_next_master_at_once()
    {
        var stage = new Stage();
        stage.Order();
        stage.Leave(stage.Join("w1", 1));
        stage.Pass(1);
        stage.Restart();
        stage.Join("w2", 1);
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/probe#2"]);
    }

    [Fact]
    public void A_worker_that_comes_back_with_its_attempt_is_lost_no_more_also_for_the_next_master()
    {
        var stage = new Stage();
        stage.Order();
        stage.Leave(stage.Join("w1", 1));
        stage.Pass(1);
        stage.Join("w1", 1, "j1/probe#1");
        stage.Restart();
        stage.Join("w2", 1);
        stage.Pass(2);
        stage.Assigned.ShouldBe(["j1/probe#1"], "it may be about to come");
        stage.Join("w1", 1, "j1/probe#1");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(1)).ShouldBe("ACCEPTED");
    }

    [Fact]
    public void A_lost_worker_of_a_media_that_is_forgotten_is_forgotten_with_it()
    {
        var stage = KilledInAProbe();
        Finish(stage);
        stage.Sweep("j1");
        stage.Ask("forget", request => new ForgetOrdered(request, Stage.Media)).ShouldBe("ForgetMediaResponse");
        Node(stage, "w1").ShouldBeNull();
        stage.Disk.ShouldBeEmpty();
        stage.Join("w1", 1, "j1/probe#1");
        stage.Cancelled.ShouldBe(["j1/probe#1"]);
    }

    [Fact]
    public void A_worker_that_is_lost_while_it_stops_what_nobody_wants_is_forgotten_at_once()
    {
        var stage = new Stage();
        stage.Leave(stage.Join("w1", 1, "j9/probe#1"));
        stage.Pass(1);
        Node(stage, "w1").ShouldBeNull();
    }

    [Fact]
    public void A_worker_that_is_lost_or_only_known_from_records_could_not_run_anything()
    {
        var stage = KilledInAProbe(codecs: ["hevc"]);
        stage.Restart();
        var session = stage.Join(
            new WorkerHello { NodeId = "w2", Slots = 2, Labels = new NodeLabels { Codecs = { "hevc" } } });
        stage.Order("j2", Other).ShouldBe("j2", "others may be about to come to the new master");
        Schedule(stage, "k1").ShouldBe("ScheduleTaskResponse");
        stage.Pass(8);
        stage.Heartbeat(session);
        stage.Pass(1);
        stage.Order("j3", preset: "other");
        stage.Answers[^1].Refusal.ShouldBe("resource_exhausted", "w1 is lost");
        Schedule(stage, "k2").ShouldBe("resource_exhausted");
    }

    [Fact]
    public void After_a_change_of_masters_a_worker_that_is_slow_to_come_keeps_its_work()
    {
        var stage = MissedByTheNextMaster();
        stage.Pass(2.9);
        stage.Assigned.ShouldBe(["j1/probe#1"], "no stream of w1 has broken here");
        stage.Join("w1", 1, "j1/probe#1");
        stage.Commit("w1", "j1/probe#1", Stage.Plan(1)).ShouldBe("ACCEPTED");
    }

    [Fact]
    public void A_worker_that_is_killed_with_its_master_loses_its_work_within_seconds()
    {
        var stage = MissedByTheNextMaster();
        stage.Pass(3);
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/probe#2"]);
        stage.GivenUp.ShouldBe(["w1"]);
    }

    /// <summary>w1 runs a task, and to a new master only w2 has come.</summary>
    private static Stage MissedByTheNextMaster()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Join("w2", 1);
        stage.Order();
        stage.Restart();
        stage.Join("w2", 1);
        return stage;
    }

    /// <summary>w1 was killed, and w2 runs its task.</summary>
    private static Stage KilledInAProbe(params string[] codecs)
    {
        var stage = new Stage();
        var hello = new WorkerHello { NodeId = "w1", Slots = 1, Labels = new NodeLabels { Codecs = { codecs } } };
        stage.Order();
        stage.Leave(stage.Join(hello));
        stage.Pass(1);
        stage.Join("w2", 2);
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/probe#2"]);
        return stage;
    }

    private static void Finish(Stage stage)
    {
        var session = stage.Join("w2", 2, "j1/probe#2");
        stage.Commit("w2", "j1/probe#2", Stage.Plan(chunks: 1, audio: false)).ShouldBe("ACCEPTED");
        foreach (var task in (string[])["chunk-0000", "poster", "publish"])
        {
            stage.Commit("w2", $"j1/{task}#1").ShouldBe("ACCEPTED");
        }

        stage.Leave(session);
        stage.Join("w2", 2);
    }

    private static string Schedule(Stage stage, string job) => stage.Ask(
        $"schedule {job}",
        number => new TaskOrdered(number, job, new ScheduleTaskRequest
        {
            RequestId = job, MediaId = Stage.Media, SourceKey = $"sources/{Stage.Media}", Class = "hd",
            Tenant = "default", Task = new OneTask { MediaSeconds = 4, Chunk = new ChunkWork() },
        }));

    private static IEnumerable<string> Open(Stage stage) =>
        stage.Disk.Values.OfType<TaskRecord>().Where(t => t.Open.Count > 0).Select(t => t.TaskId);

    private static Node? Node(Stage stage, string name) =>
        stage.Ask<ListNodesResponse>(request => new NodesAsked(request)).Nodes.SingleOrDefault(n => n.NodeId == name);
}
