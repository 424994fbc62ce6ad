using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Worker.Attempts;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker.Tests;

public sealed class WorkerCoreTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly WorkerCore core = new(new WorkerProfile("node-1", 2, new NodeLabels()));
    private DateTimeOffset now = Start;

    [Fact]
    public void A_worker_opens_a_stream_says_hello_and_sends_heartbeats_only_after_the_welcome()
    {
        Step(new WorkerEvent.Started()).ShouldBe("open 1 after 0 failures");
        Step(new WorkerEvent.StreamOpened(1)).ShouldBe("send 1 hello node-1 2 slots []");
        Tick().ShouldBe("");
        Welcome(1, fence: 5).ShouldBe("");
        Tick().ShouldBe("send 1 heartbeat []");
    }

    [Fact]
    public void Work_starts_in_the_order_of_assignment_and_never_above_the_slots()
    {
        Connect();
        Assign("a").ShouldBe("start a");
        Assign("b").ShouldBe("start b");
        Assign("c").ShouldBe("");
        Assign("d").ShouldBe("");
        Commit("b").ShouldBe("report b commit fence 5 after 0 failures; start c");
        Commit("a").ShouldBe("report a commit fence 5 after 0 failures; start d");
    }

    [Fact]
    public void An_assignment_said_twice_runs_once()
    {
        Connect();
        Assign("a").ShouldBe("start a");
        Assign("a").ShouldBe("");
    }

    [Fact]
    public void Work_beyond_all_reason_is_refused_at_once()
    {
        Connect();
        var limit = 2 + 2 * WorkerCore.WaitingLimitPerSlot;
        for (var i = 0; i < limit; i++)
        {
            Assign($"t{i}");
        }

        Assign("more").ShouldBe("report more worker_overloaded fence 5 after 0 failures");
    }

    [Fact]
    public void A_broken_stream_is_opened_again_and_the_hello_claims_what_runs_and_what_is_unreported()
    {
        Connect();
        Assign("a");
        Assign("b");
        Commit("a");
        Step(new WorkerEvent.StreamLost(1)).ShouldBe("open 2 after 1 failures");
        Step(new WorkerEvent.StreamLost(2)).ShouldBe("open 3 after 2 failures");
        Step(new WorkerEvent.StreamOpened(3)).ShouldBe("send 3 hello node-1 2 slots [a b]");
        Welcome(3, fence: 9);
        Commit("b").ShouldBe("report b commit fence 9 after 0 failures");
        Step(new WorkerEvent.StreamLost(3)).ShouldBe("open 4 after 1 failures");
    }

    [Fact]
    public void What_a_stream_of_the_past_says_counts_no_more()
    {
        Connect();
        Step(new WorkerEvent.StreamLost(1));
        Step(new WorkerEvent.StreamLost(1)).ShouldBe("");
        Step(new WorkerEvent.StreamOpened(1)).ShouldBe("");
        Step(new WorkerEvent.Received(1, new MasterMessage { Assign = Task("a") })).ShouldBe("");
    }

    [Fact]
    public void A_stream_without_a_welcome_is_given_up_after_its_limit()
    {
        Step(new WorkerEvent.Started());
        Step(new WorkerEvent.StreamOpened(1));
        now += WorkerCore.WelcomeLimit;
        Tick().ShouldBe("close 1");
    }

    [Fact]
    public void A_master_that_was_replaced_is_not_listened_to_and_another_is_looked_for()
    {
        Connect();
        Assign("a");
        Step(new WorkerEvent.StreamLost(1));
        Step(new WorkerEvent.StreamOpened(2));
        Welcome(2, fence: 4).ShouldBe("close 2", "5 has been heard of");
        Receive(2, new MasterMessage { Cancel = new CancelTask { Attempt = Key("a").ToRef() } }).ShouldBe("");
        Tick().ShouldBe("", "nothing is told to it either");
        Step(new WorkerEvent.StreamLost(2)).ShouldBe("open 3 after 2 failures");
        Step(new WorkerEvent.StreamOpened(3)).ShouldBe("send 3 hello node-1 2 slots [a]");
        Welcome(3, fence: 6).ShouldBe("");
        Tick().ShouldBe("send 3 heartbeat [a]");
    }

    [Fact]
    public void A_stream_stands_while_the_one_that_is_to_follow_leads_to_a_master_that_was_replaced()
    {
        Connect();
        Receive(1, new MasterMessage { Reconnect = new Reconnect() }).ShouldBe("open 2 after 0 failures");
        Step(new WorkerEvent.StreamOpened(2));
        Welcome(2, fence: 4).ShouldBe("close 2");
        Step(new WorkerEvent.StreamLost(2)).ShouldBe("open 3 after 1 failures");
        Assign("a").ShouldBe("start a");
        Step(new WorkerEvent.StreamOpened(3));
        Welcome(3, fence: 5).ShouldBe("close 1");
    }

    [Fact]
    public void A_report_is_repeated_until_it_is_answered_with_the_newest_fence()
    {
        Connect();
        Assign("a");
        Commit("a").ShouldBe("report a commit fence 5 after 0 failures");
        Step(new WorkerEvent.ReportFailed(Key("a"))).ShouldBe("report a commit fence 5 after 1 failures");
        Step(new WorkerEvent.StreamLost(1));
        Step(new WorkerEvent.StreamOpened(2));
        Welcome(2, fence: 8);
        Step(new WorkerEvent.ReportFailed(Key("a"))).ShouldBe("report a commit fence 8 after 2 failures");
        Step(new WorkerEvent.Answered(Key("a"), Verdict.Accepted)).ShouldBe("");
        Tick().ShouldBe("send 2 heartbeat []");
    }

    [Fact]
    public void A_commit_that_lost_deletes_what_it_wrote_and_is_claimed_no_more()
    {
        Connect();
        Assign("a");
        Commit("a");
        Step(new WorkerEvent.Answered(Key("a"), Verdict.Superseded)).ShouldBe("remove a media/m/v/a-1/");
        Tick().ShouldBe("send 1 heartbeat []");
        Step(new WorkerEvent.Removed(Key("a"))).ShouldBe("");
        // The same name may come again: the old attempt is forgotten.
        Assign("a").ShouldBe("start a");
    }

    [Fact]
    public void A_cancelled_attempt_is_stopped_then_reported_as_cancelled_and_its_slot_is_free_only_then()
    {
        Connect();
        Assign("a");
        Assign("b");
        Assign("c");
        Cancel("a").ShouldBe("stop a");
        Cancel("a").ShouldBe("");
        Step(new WorkerEvent.Ended(Key("a"), AttemptOutcome.Failed(FailureCodes.Cancelled, "")))
            .ShouldBe("report a cancelled fence 5 after 0 failures; start c");
    }

    [Fact]
    public void An_attempt_that_waits_is_cancelled_without_ever_starting()
    {
        Connect();
        Assign("a");
        Assign("b");
        Assign("c");
        Cancel("c").ShouldBe("report c cancelled fence 5 after 0 failures");
        Commit("a").ShouldBe("report a commit fence 5 after 0 failures");
    }

    [Fact]
    public void A_cancel_that_comes_while_the_attempt_is_reported_leaves_the_verdict_to_the_master()
    {
        Connect();
        Assign("a");
        Commit("a");
        Cancel("a").ShouldBe("");
        Step(new WorkerEvent.Answered(Key("a"), Verdict.Accepted)).ShouldBe("");
    }

    [Fact]
    public void A_cancel_of_an_unknown_attempt_does_nothing()
    {
        Connect();
        Cancel("a").ShouldBe("");
    }

    [Fact]
    public void Heartbeats_tell_load_and_progress_of_everything_in_hand()
    {
        Connect();
        Assign("a");
        Step(new WorkerEvent.Progressed(Key("a"), 0.25, 3));
        var beat = core.Step(new WorkerEvent.Tick(new NodeLoad(0.5, 10, 15, 20)), now)
            .OfType<WorkerEffect.Send>().Single().Message.Heartbeat;
        beat.CpuLoad.ShouldBe(0.5);
        beat.MemoryFreeBytes.ShouldBe(10);
        beat.MemoryTotalBytes.ShouldBe(15);
        beat.ScratchFreeBytes.ShouldBe(20);
        beat.Tasks.Single().Fraction.ShouldBe(0.25);
        beat.Tasks.Single().Speed.ShouldBe(3);
    }

    [Fact]
    public void At_the_masters_word_another_stream_is_opened_and_this_one_closed_at_its_welcome()
    {
        Connect();
        Assign("a");
        Receive(1, new MasterMessage { Reconnect = new Reconnect() }).ShouldBe("open 2 after 0 failures");
        Receive(1, new MasterMessage { Reconnect = new Reconnect() }).ShouldBe("");
        Step(new WorkerEvent.StreamOpened(2)).ShouldBe("send 2 hello node-1 2 slots [a]");
        Tick().ShouldBe("send 1 heartbeat [a]", "until the other is welcomed");
        Welcome(2, fence: 5).ShouldBe("close 1");
        Step(new WorkerEvent.StreamLost(1)).ShouldBe("");
        Tick().ShouldBe("send 2 heartbeat [a]");
        Commit("a").ShouldBe("report a commit fence 5 after 0 failures");
    }

    [Fact]
    public void A_stream_that_breaks_before_the_other_is_welcomed_leaves_the_other()
    {
        Connect();
        Receive(1, new MasterMessage { Reconnect = new Reconnect() });
        Step(new WorkerEvent.StreamLost(2)).ShouldBe("open 3 after 1 failures", "the first still stands");
        Step(new WorkerEvent.StreamLost(1)).ShouldBe("");
        Step(new WorkerEvent.StreamOpened(3)).ShouldBe("send 3 hello node-1 2 slots []");
        Welcome(3, fence: 6).ShouldBe("");
        Step(new WorkerEvent.StreamLost(3)).ShouldBe("open 4 after 1 failures");
    }

    [Fact]
    public void A_hello_names_how_far_events_were_followed_and_a_gap_leads_to_one_without_a_position()
    {
        Connect();
        Snapshot(1, seq: 7);
        Sync(1, 8, "/hexcast/rules/a", "1").ShouldBe("");
        Step(new WorkerEvent.StreamLost(1));
        Hello(2).Synced.ShouldBe(new SyncPosition { Term = 4, Seq = 8 });
        Welcome(2, fence: 5);
        Sync(2, 9, "/hexcast/rules/a", "2").ShouldBe("");
        Sync(2, 11, "/hexcast/rules/a", "4").ShouldBe("close 2", "10 is missing");
        Step(new WorkerEvent.StreamLost(2));
        Hello(3).Synced.ShouldBeNull();
    }

    [Fact]
    public void A_setting_changes_the_slots_of_this_node_while_it_is_there()
    {
        Connect();
        Snapshot(1, seq: 0);
        Assign("a");
        Assign("b");
        Assign("c").ShouldBe("");
        Sync(1, 1, WorkerCore.SlotsSetting + "other", "9").ShouldBe("");
        Sync(1, 2, WorkerCore.SlotsSetting + "node-1", "3").ShouldBe("send 1 heartbeat [a b c]; start c");
        Sync(1, 3, WorkerCore.SlotsSetting + "node-1", "many").ShouldBe("send 1 heartbeat [a b c]", "no number");
        Sync(1, 4, WorkerCore.SlotsSetting + "node-1", "1").ShouldBe("send 1 heartbeat [a b c]");
        // A new mastership begins with all there is.
        Step(new WorkerEvent.StreamLost(1));
        Hello(2).Slots.ShouldBe(1);
        Welcome(2, fence: 9);
        Snapshot(2, seq: 0).ShouldBe("send 2 heartbeat [a b c]");
        Step(new WorkerEvent.StreamLost(2));
        Hello(3).Slots.ShouldBe(2);
    }

    [Fact]
    public void A_drained_node_hands_back_what_has_not_begun()
    {
        Connect();
        Assign("a");
        Assign("b");
        Assign("c");
        Drain(true).ShouldBe("report c handed_back fence 5 after 0 failures");
        Assign("d").ShouldBe("report d handed_back fence 5 after 0 failures");
        Drain(false);
        Commit("a").ShouldBe("report a commit fence 5 after 0 failures");
        Assign("e").ShouldBe("start e");
    }

    [Fact]
    public void A_node_that_missed_the_end_of_its_drain_is_in_use_again_with_the_next_welcome()
    {
        Connect();
        Drain(true);
        Step(new WorkerEvent.StreamLost(1));
        Step(new WorkerEvent.StreamOpened(2));
        Welcome(2, fence: 6);
        Receive(2, new MasterMessage { Assign = Task("a") }).ShouldBe("start a");
    }

    [Fact]
    public void A_node_that_stops_finishes_what_it_can_hands_back_the_rest_and_leaves()
    {
        Connect();
        Assign("a");
        Assign("b");
        Assign("c");
        Step(new WorkerEvent.Leave())
            .ShouldBe("send 1 heartbeat [a b c] leaving; report c handed_back fence 5 after 0 failures");
        Step(new WorkerEvent.Answered(Key("c"), Verdict.Accepted)).ShouldBe("");
        Commit("a");
        Step(new WorkerEvent.Answered(Key("a"), Verdict.Accepted)).ShouldBe("");
        Step(new WorkerEvent.LeaveNow()).ShouldBe("stop b");
        Step(new WorkerEvent.Ended(Key("b"), AttemptOutcome.Failed(FailureCodes.Cancelled, "")))
            .ShouldBe("report b handed_back fence 5 after 0 failures");
        Step(new WorkerEvent.Answered(Key("b"), Verdict.Accepted)).ShouldBe("left");
        Tick().ShouldBe("send 1 heartbeat [] leaving");
    }

    [Fact]
    public void A_node_that_stops_while_no_master_is_there_leaves_at_once()
    {
        Connect();
        Assign("a");
        Step(new WorkerEvent.StreamLost(1));
        Step(new WorkerEvent.Leave()).ShouldBe("left");
    }

    /// <summary>Every attempt ends in exactly one verdict, whatever order events come in.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Under_random_events_no_slot_is_oversubscribed_and_every_attempt_is_reported(int seed)
    {
        var random = new Random(seed);
        var worker = new WorkerCore(new WorkerProfile("node-1", 3, new NodeLabels()));
        HashSet<AttemptKey> runs = [], reporting = [], removing = [], assigned = [], answered = [];
        var session = 0;
        Feed(new WorkerEvent.Started());
        for (var i = 0; i < 5000; i++)
        {
            Feed(random.Next(9) switch
            {
                0 when assigned.Count - answered.Count < 9 => Assigned(i),
                1 when assigned.Count > 0 => Received(
                    new MasterMessage { Cancel = new CancelTask { Attempt = Pick(assigned).ToRef() } }),
                2 => new WorkerEvent.StreamLost(session),
                3 => new WorkerEvent.StreamOpened(session),
                4 => Received(new MasterMessage { Welcome = new MasterWelcome { Fence = 5 + i } }),
                5 or 6 when runs.Count > 0 => EndOf(Pick(runs)),
                7 when reporting.Count > 0 => ReportOf(Pick(reporting)),
                8 when removing.Count > 0 => RemovalOf(Pick(removing)),
                _ => new WorkerEvent.Tick(default),
            });
            runs.Count.ShouldBeLessThanOrEqualTo(3);
        }

        while (runs.Count + reporting.Count > 0)
        {
            Feed(runs.Count > 0 ? EndOf(Pick(runs)) : ReportOf(Pick(reporting)));
        }

        answered.Count.ShouldBe(assigned.Count);
        return;

        void Feed(WorkerEvent happened)
        {
            foreach (var effect in worker.Step(happened, Start))
            {
                switch (effect)
                {
                    case WorkerEffect.OpenStream open:
                        session = open.Session;
                        break;
                    case WorkerEffect.Start start:
                        runs.Add(AttemptKey.Of(start.Task.Attempt)).ShouldBeTrue();
                        break;
                    case WorkerEffect.Report report:
                        reporting.Add(AttemptKey.Of(report.Request.Attempt));
                        break;
                    case WorkerEffect.Remove remove:
                        removing.Add(remove.Attempt);
                        break;
                }
            }
        }

        AttemptKey Pick(HashSet<AttemptKey> from) => from.ElementAt(random.Next(from.Count));

        WorkerEvent Received(MasterMessage message) => new WorkerEvent.Received(session, message);

        WorkerEvent Assigned(int number)
        {
            assigned.Add(Key($"t{number}"));
            return Received(new MasterMessage { Assign = Task($"t{number}") });
        }

        WorkerEvent EndOf(AttemptKey key)
        {
            runs.Remove(key);
            return new WorkerEvent.Ended(key, random.Next(2) == 0
                ? AttemptOutcome.Committed(new TaskCommit())
                : AttemptOutcome.Failed(FailureCodes.ToolFailed, ""));
        }

        WorkerEvent ReportOf(AttemptKey key)
        {
            if (random.Next(3) == 0)
            {
                return new WorkerEvent.ReportFailed(key);
            }

            reporting.Remove(key);
            answered.Add(key).ShouldBeTrue();
            return new WorkerEvent.Answered(key, random.Next(2) == 0 ? Verdict.Accepted : Verdict.Superseded);
        }

        WorkerEvent RemovalOf(AttemptKey key)
        {
            removing.Remove(key);
            return new WorkerEvent.Removed(key);
        }
    }

    private static AttemptKey Key(string task) => new("j", task, 1);

    private static TaskAssignment Task(string task) => new()
    {
        Attempt = Key(task).ToRef(), Fence = 5, MediaId = "m", Version = "v",
    };

    private void Connect()
    {
        Step(new WorkerEvent.Started());
        Step(new WorkerEvent.StreamOpened(1));
        Welcome(1, fence: 5);
    }

    private string Assign(string task) => Step(new WorkerEvent.Received(1, new MasterMessage { Assign = Task(task) }));

    private string Cancel(string task) => Step(
        new WorkerEvent.Received(1, new MasterMessage { Cancel = new CancelTask { Attempt = Key(task).ToRef() } }));

    private string Commit(string task) =>
        Step(new WorkerEvent.Ended(Key(task), AttemptOutcome.Committed(new TaskCommit())));

    private string Welcome(int session, long fence) => Step(
        new WorkerEvent.Received(session, new MasterMessage { Welcome = new MasterWelcome { Fence = fence } }));

    private string Receive(int session, MasterMessage message) => Step(new WorkerEvent.Received(session, message));

    private string Snapshot(int session, long seq) =>
        Receive(session, new MasterMessage { Snapshot = new SyncSnapshot { Term = 4, Seq = seq } });

    private string Sync(int session, long seq, string key, string value) => Receive(session, new MasterMessage
    {
        Sync = new SyncEvent { Seq = seq, Key = key, Value = ByteString.CopyFromUtf8(value) },
    });

    private string Drain(bool draining) =>
        Receive(1, new MasterMessage { Drain = new DrainNotice { Draining = draining } });

    private WorkerHello Hello(int session) => core.Step(new WorkerEvent.StreamOpened(session), now)
        .OfType<WorkerEffect.Send>().Single().Message.Hello;

    private string Tick() => Step(new WorkerEvent.Tick(default));

    private string Step(WorkerEvent happened) => string.Join("; ", core.Step(happened, now).Select(Describe));

    private static string Tasks(IEnumerable<AttemptRef> attempts) => string.Join(' ', attempts.Select(a => a.TaskId));

    private static string Describe(WorkerEffect effect) => effect switch
    {
        WorkerEffect.OpenStream open => $"open {open.Session} after {open.Failures} failures",
        WorkerEffect.CloseStream close => $"close {close.Session}",
        WorkerEffect.Send { Message.Hello: { } hello } send =>
            $"send {send.Session} hello {hello.NodeId} {hello.Slots} slots [{Tasks(hello.Running)}]",
        WorkerEffect.Send { Message.Heartbeat: { } beat } send =>
            $"send {send.Session} heartbeat [{Tasks(beat.Tasks.Select(t => t.Attempt))}]" +
            (beat.Leaving ? " leaving" : ""),
        WorkerEffect.Left => "left",
        WorkerEffect.Start start => $"start {start.Task.Attempt.TaskId}",
        WorkerEffect.Stop stop => $"stop {stop.Attempt.TaskId}",
        WorkerEffect.Report { Request: var request, Failures: var failures } =>
            $"report {request.Attempt.TaskId} {request.Failure?.Code ?? "commit"} fence {request.Fence} " +
            $"after {failures} failures",
        WorkerEffect.Remove remove => $"remove {remove.Attempt.TaskId} {remove.Prefix}",
        _ => effect.ToString()!,
    };
}
