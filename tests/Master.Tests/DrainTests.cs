using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>Nodes that go out of use: by a person's word, by their own, or because their stream is old.</summary>
public sealed class DrainTests
{
    [Fact]
    public void A_drained_node_is_given_nothing_more_and_finishes_what_it_has()
    {
        var stage = Encoding(out _, out _);
        stage.Drain("w1").ShouldBe("DrainResponse");
        ((DrainResponse)stage.Answers[^1].Answer!).Running.ShouldBe(1);
        stage.Commit("w1", "j1/chunk-0000#1").ShouldBe("ACCEPTED");
        stage.Commit("w2", "j1/chunk-0001#1");
        stage.Job("j1").Tasks.Where(t => t.State == TaskState.Assigned).ShouldAllBe(t => t.NodeId == "w2");
        var node = Node(stage, "w1");
        (node.Draining, node.Running.Count).ShouldBe((true, 0));
        stage.Drain("w1", undo: true);
        stage.Job("j1").Tasks.ShouldContain(t => t.State == TaskState.Assigned && t.NodeId == "w1");
    }

    [Fact]
    public void What_a_drained_node_still_runs_after_its_time_goes_to_others_and_counts_as_no_failure()
    {
        var stage = Encoding(out var first, out var second);
        stage.Drain("w1", handBackAfterSeconds: 20);
        Beat(stage, 19, (first, "j1/chunk-0000#1"), (second, "j1/chunk-0001#1"));
        stage.Cancelled.ShouldBeEmpty();
        Beat(stage, 2, (first, "j1/chunk-0000#1"), (second, "j1/chunk-0001#1"));
        stage.Cancelled.ShouldBe(["j1/chunk-0000#1"], "once");
        stage.Script.ShouldContain($"""
                      confirm the mastership
                      send {first}: cancel j1/chunk-0000#1
            """, Case.Sensitive, "a master that was replaced asks nothing back");
        stage.Fail("w1", "j1/chunk-0000#1", "cancelled").ShouldBe("ACCEPTED");
        stage.Commit("w2", "j1/chunk-0001#1");
        stage.Assigned.ShouldContain("j1/chunk-0000#2");
        var record = Record(stage, "chunk-0000");
        (record.Failures, record.Losses, record.LastFailure).ShouldBe((0u, 0u, null));
    }

    [Fact]
    public void An_attempt_that_is_asked_back_and_commits_first_wins()
    {
        var stage = Encoding(out var first, out var second);
        stage.Drain("w1", handBackAfterSeconds: 1);
        Beat(stage, 2, (first, "j1/chunk-0000#1"), (second, "j1/chunk-0001#1"));
        stage.Cancelled.ShouldBe(["j1/chunk-0000#1"]);
        stage.Commit("w1", "j1/chunk-0000#1").ShouldBe("ACCEPTED");
        stage.Assigned.ShouldNotContain("j1/chunk-0000#2");
    }

    [Fact]
    public void A_drained_node_stays_drained_under_a_new_master_and_after_its_own_restart()
    {
        var stage = Encoding(out _, out _);
        stage.Drain("w1");
        stage.Restart();
        var session = stage.Join("w1", 1, "j1/chunk-0000#1");
        stage.Sent.Where(s => s.Session == session).Select(s => s.Message.Drain).OfType<DrainNotice>().Single()
            .Draining.ShouldBeTrue();
        stage.Commit("w1", "j1/chunk-0000#1");
        stage.Leave(session);
        stage.Pass(2);
        stage.Join("w1", 1);
        stage.Assigned.Count().ShouldBe(4, "those of before");
        stage.Drain("w1", undo: true);
        stage.Disk.Values.OfType<NodeRecord>().ShouldBeEmpty();
        stage.Assigned.Count().ShouldBe(5);
    }

    [Fact]
    public void A_drained_node_that_is_away_is_still_shown_and_can_be_taken_back()
    {
        var stage = new Stage();
        var session = stage.Join("w1", 1);
        stage.Drain("w1");
        stage.Leave(session);
        stage.Pass(2);
        var node = Node(stage, "w1");
        (node.Draining, node.Connected).ShouldBe((true, false));
        stage.Drain("w1", undo: true).ShouldBe("DrainResponse");
        stage.Ask<ListNodesResponse>(request => new NodesAsked(request)).Nodes.ShouldBeEmpty();
    }

    [Fact]
    public void A_node_that_nobody_knows_cannot_be_drained()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Drain("w2").ShouldBe("not_found");
        stage.Drain("w1", handBackAfterSeconds: 100_000).ShouldBe("invalid_argument");
    }

    [Fact]
    public void Workers_hear_which_nodes_are_drained()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        var other = stage.Join("w2", 1);
        stage.Drain("w1");
        stage.Drain("w1", undo: true);
        stage.Sent.Where(s => s.Session == other).Select(s => s.Message.Sync).OfType<SyncEvent>()
            .Select(s => (s.Key, s.Deleted)).ShouldBe([("/hexcast/nodes/w1", false), ("/hexcast/nodes/w1", true)]);
    }

    [Fact]
    public void A_worker_that_stops_is_given_nothing_and_what_it_hands_back_counts_as_no_failure()
    {
        var stage = Encoding(out var first, out _);
        stage.Tell(first, new WorkerHeartbeat { Leaving = true, Tasks = { Progress("chunk-0000") } });
        stage.Fail("w1", "j1/chunk-0000#1", "handed_back").ShouldBe("ACCEPTED");
        stage.Commit("w2", "j1/chunk-0001#1");
        stage.Assigned.TakeLast(1).ShouldBe(["j1/chunk-0000#2"]);
        var record = Record(stage, "chunk-0000");
        (record.Failures, record.Losses).ShouldBe((0u, 0u));
        stage.Leave(first);
        stage.Script.ShouldContain("worker w1 has left");
        stage.Ask<ListNodesResponse>(request => new NodesAsked(request)).Nodes.Select(n => n.NodeId).ShouldBe(["w2"]);
    }

    [Fact]
    public void A_worker_that_hands_back_without_leaving_does_so_a_limited_number_of_times()
    {
        var stage = new Stage();
        stage.Join("w1", 1);
        stage.Order();
        for (var i = 1; stage.Job("j1").State == JobState.Running && i < 100; i++)
        {
            stage.Fail("w1", $"j1/probe#{i}", "handed_back");
        }

        stage.Job("j1").Failure.Code.ShouldBe("worker_lost");
    }

    [Fact]
    public void A_stream_of_the_greatest_age_is_followed_by_another_and_no_task_is_given_out_again()
    {
        var stage = new Stage(new MasterOptions { StreamMaxAge = TimeSpan.FromSeconds(10) });
        var old = stage.Join("w1", 2);
        stage.Order();
        Beat(stage, 9, (old, "j1/probe#1"));
        stage.Sent.ShouldNotContain(s => s.Message.Reconnect != null);
        Beat(stage, 2, (old, "j1/probe#1"));
        stage.Sent.Count(s => s.Session == old && s.Message.Reconnect is not null).ShouldBe(1);
        stage.Order("j2", "01jdf3k5v8e9x2m4n6p8q0zzzz");
        stage.Assigned.ShouldBe(["j1/probe#1"], "the next hello might not name it");
        var next = stage.Join("w1", 2, "j1/probe#1");
        stage.Assigned.ShouldBe(["j1/probe#1", "j2/probe#1"]);
        stage.Leave(old);
        stage.Heartbeat(next, "j1/probe#1", "j2/probe#1");
        stage.Pass(5);
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 1)).ShouldBe("ACCEPTED");
        Record(stage, "probe").Attempts.ShouldBe(1u);
    }

    [Fact]
    public void A_worker_that_does_not_open_another_stream_loses_the_old_one()
    {
        var stage = new Stage(new MasterOptions { StreamMaxAge = TimeSpan.FromSeconds(10) });
        var old = stage.Join("w1", 1);
        Beat(stage, 30, (old, ""));
        stage.Script.ShouldContain($"drop {old}: the worker did not open another stream");
        Order(stage).ShouldBe("j1/probe#1", "once it is back");

        static string Order(Stage stage)
        {
            stage.Order();
            stage.Assigned.ShouldBeEmpty();
            stage.Join("w1", 1);
            return stage.Assigned.Single();
        }
    }

    /// <summary>Two workers with a slot each, both of which encode.</summary>
    private static Stage Encoding(out long first, out long second)
    {
        var stage = new Stage();
        first = stage.Join("w1", 1);
        stage.Order();
        stage.Commit("w1", "j1/probe#1", Stage.Plan(chunks: 6, audio: false));
        second = stage.Join("w2", 1);
        // The poster goes before the second chunk.
        stage.Commit("w2", "j1/poster#1");
        stage.Assigned.ShouldBe(["j1/probe#1", "j1/chunk-0000#1", "j1/poster#1", "j1/chunk-0001#1"]);
        return stage;
    }

    private static void Beat(Stage stage, int seconds, params IReadOnlyList<(long Session, string Attempt)> workers)
    {
        for (var i = 0; i < seconds; i++)
        {
            stage.Pass(1);
            foreach (var (session, attempt) in workers)
            {
                stage.Heartbeat(session, attempt.Length == 0 ? [] : [attempt]);
            }
        }
    }

    private static TaskProgress Progress(string task) => new()
    {
        Attempt = new AttemptRef { JobId = "j1", TaskId = task, Attempt = 1 },
    };

    private static Node Node(Stage stage, string name) =>
        stage.Ask<ListNodesResponse>(request => new NodesAsked(request)).Nodes.Single(n => n.NodeId == name);

    private static TaskRecord Record(Stage stage, string task) =>
        (TaskRecord)stage.Disk[RecordWrite.TaskKey("j1", task)];
}
