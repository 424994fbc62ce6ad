namespace Hexcast.Raft.Tests;

/// <summary>Dissertation 3.10, 4.1 to 4.2.4, 6.4: members, handing over, reads.</summary>
public sealed class GovernanceTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_read_waits_until_the_term_has_committed_and_a_quorum_has_answered()
    {
        var single = new Single().Elect();
        single.Step(new RaftEvent.Read(1));
        single.Sync();
        single.Accept(2, 1);
        var round = single.Sent.OfType<RaftMessage.Heartbeat>().First().Round;
        single.Effects.OfType<RaftEffect.ReadReady>().ShouldBeEmpty();
        single.Receive(new RaftMessage.HeartbeatResponse(2, 1, round - 1, Recovering: false, Commit: 1));
        single.Effects.OfType<RaftEffect.ReadReady>().ShouldBeEmpty("that was sent before the read came");
        single.Receive(new RaftMessage.HeartbeatResponse(2, 1, round, Recovering: false, Commit: 1));
        single.Effects.OfType<RaftEffect.ReadReady>().Single().RequestId.ShouldBe(1);
    }

    [Fact]
    public void A_read_at_a_leader_that_was_cut_off_is_refused()
    {
        var group = new Group(3).Elect(1);
        group.Isolate(1);
        var read = group.Read(1);
        group.Pass(Second);
        group[1].HasRead(read).ShouldBeFalse();
        group[1].RefusalOf(read).ShouldBe(RaftError.ReadTimedOut);
    }

    [Fact]
    public void A_read_that_the_leader_never_answers_is_refused_in_time()
    {
        var group = new Group(3).Elect(1);
        group.Cut(2, 1);
        var read = group.Read(2);
        group.Pass(Second + Second);
        group[2].RefusalOf(read).ShouldBe(RaftError.ReadTimedOut);
    }

    [Fact]
    public void Reads_at_a_member_whose_disk_takes_nothing_any_more_are_refused_in_time_and_then_at_once()
    {
        var group = new Group(3, new RaftOptions { MaximumInflightMessages = 4 }).Elect(1);
        group[3].HoldsDisk = true;
        for (var i = 0; i < 10; i++)
        {
            group.Propose(1, $"{i}");
        }
        var read = group.Read(3);
        group.Pass(Second / 2);
        group[3].RefusalOf(read).ShouldBe(RaftError.None, "what it waits for may come yet");
        group.Pass(Second);
        group[3].RefusalOf(read).ShouldBe(RaftError.ReadTimedOut);

        var next = group.Read(3);
        group[3].RefusalOf(next).ShouldBe(RaftError.ReadTimedOut);

        group.Sync(3);
        group.Pass(Second);
        group[3].HasRead(group.Read(3)).ShouldBeTrue();
    }

    [Fact]
    public void Members_change_one_at_a_time_and_only_sensibly()
    {
        var group = new Group(3).Elect(1);
        Refusal(MemberChange.AddLearner, 2).ShouldBe(RaftError.AlreadyMember);
        Refusal(MemberChange.Promote, 2).ShouldBe(RaftError.NotLearner);
        Refusal(MemberChange.Remove, 9).ShouldBe(RaftError.NotMember);
        group[2].HoldsDisk = group[3].HoldsDisk = true;
        Refusal(MemberChange.AddLearner, 4).ShouldBe(RaftError.None);
        Refusal(MemberChange.AddLearner, 5).ShouldBe(RaftError.ChangeUnderWay);
        group.Sync(2);
        group.Sync(3);
        Refusal(MemberChange.Promote, 4).ShouldBe(RaftError.LearnerBehind);
        group.Boot(4, Members.None);
        group.Pass(Second);
        Refusal(MemberChange.Promote, 4).ShouldBe(RaftError.None);
        group[4].Core.Members.Voters.ShouldBe([1ul, 2, 3, 4]);

        RaftError Refusal(MemberChange change, ulong node) => group[1].RefusalOf(group.Change(1, change, node));
    }

    [Fact]
    public void The_last_voter_stays()
    {
        var group = new Group(1);
        group.Pass(Second);
        group[1].RefusalOf(group.Change(1, MemberChange.Remove, 1)).ShouldBe(RaftError.LastVoter);
    }

    [Fact]
    public void A_voter_does_not_leave_a_group_that_needs_it()
    {
        var group = new Group(5).Elect(1);
        group.Isolate(4);
        group.Isolate(5);
        group.Pass(Second);
        group[1].RefusalOf(group.Change(1, MemberChange.Remove, 3)).ShouldBe(RaftError.QuorumAtRisk);
        group[1].RefusalOf(group.Change(1, MemberChange.Remove, 5)).ShouldBe(RaftError.None);
    }

    [Fact]
    public void A_change_that_was_not_committed_is_taken_back_with_its_entry()
    {
        var group = new Group(3).Elect(1);
        group.Isolate(1);
        group.Change(1, MemberChange.AddLearner, 4);
        group[1].Core.Members.Contains(4).ShouldBeTrue("it is in force when it is appended");
        group.Until(() => group.Leader is { Id: not 1 });
        group.Heal();
        group.Until(() => group[1].Core.Log.LastTerm == group.Leader.Core.Term);
        group[1].Core.Members.ToString().ShouldBe("[1 2 3]");
    }

    [Fact]
    public void A_node_that_was_removed_does_not_disturb()
    {
        var group = new Group(4).Elect(1);
        group.Isolate(4);
        group.Change(1, MemberChange.Remove, 4);
        group.Pass(Second);
        group.Heal();
        var term = group[1].Core.Term;
        group.Pass(Second + Second);
        group[4].Core.Role.ShouldBe(RaftRole.PreCandidate, "it never heard of its removal");
        group.Leader.Id.ShouldBe(1ul);
        group[1].Core.Term.ShouldBe(term);
    }

    [Fact]
    public void Handing_over_to_a_node_that_does_not_answer_ends_in_time()
    {
        var group = new Group(3).Elect(1);
        group.Isolate(3);
        group.Propose(1, "a");
        var request = group.Transfer(1, 3);
        group[1].RefusalOf(group.Propose(1, "b")).ShouldBe(RaftError.TransferUnderWay);
        group.Pass(Second);
        group[1].RefusalOf(request).ShouldBe(RaftError.TransferTimedOut);
        group[1].RefusalOf(group.Propose(1, "c")).ShouldBe(RaftError.None);
    }

    [Fact]
    public void Only_the_leadership_of_whom_it_was_sent_to_is_a_hand_over()
    {
        var group = new Group(3).Elect(1);
        group.Isolate(3);
        group.Propose(1, "a");
        var request = group.Transfer(1, 3);
        group.Step(1, new RaftEvent.Received(new RaftMessage.VoteResponse(
            2, group[1].Core.Term + 1, IsPre: false, Granted: false)));
        group[1].Core.Role.ShouldBe(RaftRole.Follower);
        group[1].Effects.OfType<RaftEffect.Transferred>().ShouldBeEmpty("who leads is not known yet");
        group.Step(1, new RaftEvent.Received(new RaftMessage.Heartbeat(2, group[1].Core.Term, Commit: 0, Round: 0)));
        group[1].Effects.OfType<RaftEffect.Transferred>().ShouldBeEmpty("another one leads");
        group[1].RefusalOf(request).ShouldBe(RaftError.TransferTimedOut);
    }

    [Fact]
    public void A_hand_over_is_done_when_the_next_leader_is_heard()
    {
        var group = new Group(3).Elect(1);
        var request = group.Transfer(1, 3);
        group.Leader.Id.ShouldBe(3ul);
        group[1].Effects.OfType<RaftEffect.Transferred>().Single().RequestId.ShouldBe(request);
    }

    [Fact]
    public void A_hand_over_of_one_term_is_none_of_the_next()
    {
        var group = new Group(3).Elect(1);
        var term = group[1].Core.Term;
        group.Transfer(1, 3, term);
        group.Leader.Id.ShouldBe(3ul);

        // Whoever is asked again: who has handed over, and who has taken over.
        group[1].RefusalOf(group.Transfer(1, 2, term)).ShouldBe(RaftError.LeadsNoMore);
        group[3].RefusalOf(group.Transfer(3, 2, term)).ShouldBe(RaftError.LeadsNoMore);
        group.Pass(Second);
        group.Leader.Id.ShouldBe(3ul);
        group[3].Core.Term.ShouldBe(term + 1);
        group[3].RefusalOf(group.Transfer(3, 1, term + 1)).ShouldBe(RaftError.None);
        group.Leader.Id.ShouldBe(1ul);
    }

    [Fact]
    public void Reads_that_wait_for_the_same_entry_are_answered_in_their_order()
    {
        var reads = new ReadQueue(100);
        for (var read = 1; read <= 50; read++)
        {
            reads.WaitForApply(7, read, Second);
        }
        for (var read = 1; read <= 50; read++)
        {
            reads.TryTakeApplied(7, out var next).ShouldBeTrue();
            next.ShouldBe(read);
        }
    }

    [Fact]
    public void A_node_that_lost_entries_does_not_vote_and_does_not_count()
    {
        var group = new Group(3).Elect(1);
        group.Isolate(3);
        group.Propose(1, "a");
        group.Crash(2);
        group.Boot(2, unreadableFrom: 2);
        group.Heal();
        group.Isolate(1);
        group.Pass(Second + Second);
        group.Leader.ShouldBeNull("n3 lacks \"a\", and n2, which lost it, does not vote for it");
        group.Heal();
        group.Until(() => group.Nodes.Values.All(n => n.Applied.Count == 1 && !n.Core.IsRecovering));
    }

    [Fact]
    public void Who_removes_itself_stands_until_that_is_committed()
    {
        var group = new Group(2).Elect(1);
        group.Cut(1, 2);
        group.Change(1, MemberChange.Remove, 1);
        group.Until(() => group[1].Core.Role != RaftRole.Leader);
        group.Heal();
        // n2 lacks the entry, so it is not elected without n1's vote, and n1's log is newer: n1 has to lead once more.
        group.Until(() => group[2].Core is { Role: RaftRole.Leader, Members.Voters: [2] });
        group[1].Core.Term.ShouldBeGreaterThan(1ul);
    }

    [Fact]
    public void A_node_that_loses_entries_twice_is_brought_up_twice()
    {
        var progress = new Progress(2, next: 10, TimeSpan.Zero);
        progress.Heard(TimeSpan.Zero, isRecovering: true);
        progress.Accepted(7);
        progress.Refused(refusedIndex: 9, meeting: 3).ShouldBeTrue();
        (progress.Match, progress.Next).ShouldBe((3ul, 4ul));
        progress.Refused(refusedIndex: 3, meeting: 3).ShouldBeFalse("it would be asked the same again for ever");

        progress.Heard(TimeSpan.Zero, isRecovering: false);
        progress.Accepted(9);
        progress.Refused(refusedIndex: 8, meeting: 3).ShouldBeFalse("what a whole node has acknowledged it keeps");
        progress.Match.ShouldBe(9ul);
    }

    [Fact]
    public void Members_survive_their_bytes()
    {
        var members = Members.Of([3, 1, 2], 9, 8);
        Members.Decode(members.Encode()).ToString().ShouldBe("[1 2 3 | 8 9]");
        Should.Throw<InvalidDataException>(() => Members.Decode(members.Encode().AsSpan(1)));
        Should.Throw<InvalidDataException>(() => Members.Decode([255, 255, 255, 255]));
        Should.Throw<InvalidDataException>(() => Members.Decode([]));
    }
}
