using static Hexcast.Raft.Tests.Single;

namespace Hexcast.Raft.Tests;

/// <summary>Raft 5.2 and 5.4.1; dissertation 4.2.3, 6.2, 9.6.</summary>
public sealed class ElectionTests
{
    [Theory]
    // Log of the voter, end of the candidate's.
    [InlineData(new ulong[] { 1 }, 1, 1, true)]
    [InlineData(new ulong[] { 1 }, 2, 1, true)]
    [InlineData(new ulong[] { 1, 1 }, 1, 2, true)]
    [InlineData(new ulong[] { 1, 1 }, 1, 1, false)]
    [InlineData(new ulong[] { 2 }, 3, 1, false)]
    [InlineData(new ulong[] { }, 0, 0, true)]
    public void A_vote_goes_to_a_log_that_is_at_least_as_new(
        ulong[] own, ulong lastIndex, ulong lastTerm, bool granted)
    {
        var single = new Single(new HardState(3, 0), Log(own));
        single.Receive(new RaftMessage.VoteRequest(2, 4, IsPre: false, lastIndex, lastTerm)).Sync();
        var said = single.Sent.OfType<RaftMessage.VoteResponse>().ToList();
        (said.Count == 1 && said[0].Granted).ShouldBe(granted);
        single.Core.Term.ShouldBe(4ul);
    }

    [Fact]
    public void One_vote_a_term_also_after_a_restart()
    {
        var single = new Single();
        single.Receive(new RaftMessage.VoteRequest(2, 1, IsPre: false, 0, 0));
        var durable = single.Persists.Single().HardState!.Value;
        durable.ShouldBe(new HardState(1, Vote: 2));
        single.Sent.ShouldBeEmpty("before the vote is durable");
        single.Sync().Sent.ShouldBe([new RaftMessage.VoteResponse(1, 1, IsPre: false, Granted: true)]);

        var again = new Single(durable);
        again.Receive(new RaftMessage.VoteRequest(3, 1, IsPre: false, 9, 9));
        again.Sent.ShouldBe([new RaftMessage.VoteResponse(1, 1, IsPre: false, Granted: false)]);
        again.Receive(new RaftMessage.VoteRequest(2, 1, IsPre: false, 0, 0));
        again.Sent.ShouldBe([new RaftMessage.VoteResponse(1, 1, IsPre: false, Granted: true)]);
    }

    [Fact]
    public void A_candidate_asks_nobody_before_its_term_and_its_log_are_durable()
    {
        var single = new Single();
        single.TimeOut();
        single.Receive(new RaftMessage.VoteResponse(2, 1, IsPre: true, Granted: true));
        single.Core.Role.ShouldBe(RaftRole.Candidate);
        single.Sent.ShouldBeEmpty();
        single.Receive(new RaftMessage.VoteResponse(2, 1, IsPre: false, Granted: true));
        single.Receive(new RaftMessage.VoteResponse(2, 1, IsPre: false, Granted: true));
        single.Core.Role.ShouldBe(RaftRole.Candidate, "its own vote is not durable, and one node has one vote");
        single.Sync();
        single.Core.Role.ShouldBe(RaftRole.Leader);
    }

    [Fact]
    public void A_pre_vote_changes_no_term_at_either_end()
    {
        var single = new Single(new HardState(5, 0));
        single.TimeOut();
        single.Core.Term.ShouldBe(5ul);
        single.Receive(new RaftMessage.VoteRequest(3, 9, IsPre: true, 9, 9));
        single.Sent.ShouldBe([new RaftMessage.VoteResponse(1, 9, IsPre: true, Granted: true)]);
        single.Core.Term.ShouldBe(5ul);
        single.Persists.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Who_hears_a_leader_votes_only_if_the_leader_asks_for_it(bool isTransfer, bool votes)
    {
        var single = new Single(new HardState(1, 0));
        single.Receive(new RaftMessage.Heartbeat(2, 1, 0, 0));
        single.Now += TimeSpan.FromMilliseconds(149);
        single.Receive(new RaftMessage.VoteRequest(3, 2, IsPre: false, 9, 9, isTransfer)).Sync();
        single.Sent.Any().ShouldBe(votes);
        single.Core.Term.ShouldBe(votes ? 2ul : 1ul);
    }

    [Fact]
    public void An_old_leader_hears_of_the_new_term_and_steps_down()
    {
        var follower = new Single(new HardState(3, 0));
        follower.Receive(new RaftMessage.Heartbeat(2, 2, 0, 0));
        var answer = follower.Sent.Single();
        answer.Term.ShouldBe(3ul);

        var leader = new Single(new HardState(1, 0)).Elect();
        leader.Receive(answer with { From = 2 });
        leader.Core.Role.ShouldBe(RaftRole.Follower);
        leader.Core.Term.ShouldBe(3ul);
    }

    [Fact]
    public void A_leader_that_hears_no_quorum_steps_down()
    {
        var single = new Single(voters: 5).TimeOut();
        foreach (var (isPre, from) in new[] { (true, 2ul), (true, 3ul), (false, 2ul), (false, 3ul) })
        {
            single.Receive(new RaftMessage.VoteResponse(from, 1, isPre, Granted: true)).Sync();
        }
        single.Core.Role.ShouldBe(RaftRole.Leader);
        single.Now += TimeSpan.FromMilliseconds(290);
        single.Receive(new RaftMessage.HeartbeatResponse(4, 1, 0, Recovering: false, Commit: 1));
        single.Step(RaftEvent.Tick.Now);
        single.Core.Role.ShouldBe(RaftRole.Leader, "nobody's timeout is over");
        // An answer that was so late has made it patient.
        single.Now += TimeSpan.FromMilliseconds(600);
        single.Step(RaftEvent.Tick.Now);
        single.Core.Role.ShouldBe(RaftRole.Follower, "two of five are no quorum");
        single.Core.Leader.ShouldBe(0ul);
    }

    [Fact]
    public void Who_writes_a_vote_does_not_stand_against_it_and_then_awaits_the_new_leader()
    {
        var single = new Single();
        single.Receive(new RaftMessage.VoteRequest(2, 1, IsPre: false, 0, 0));
        single.Now += TimeSpan.FromMilliseconds(700);
        single.Step(RaftEvent.Tick.Now).Sent.ShouldBeEmpty("its disk is slow, and the candidate waits for the vote");

        single.Sync();
        single.Core.Deadline.ShouldBeInRange(
            single.Now + TimeSpan.FromMilliseconds(150), single.Now + TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public void A_vote_whose_disk_answers_no_more_is_not_waited_for_for_ever()
    {
        var single = new Single();
        single.Receive(new RaftMessage.VoteRequest(2, 1, IsPre: false, 0, 0));
        single.Now += TimeSpan.FromMilliseconds(901);
        single.Step(RaftEvent.Tick.Now);
        single.Core.Role.ShouldBe(RaftRole.PreCandidate);
    }

    [Fact]
    public void A_candidate_waits_for_the_others_votes_as_long_as_its_own_disk_took()
    {
        var single = new Single().TimeOut();
        single.Receive(new RaftMessage.VoteResponse(2, 1, IsPre: true, Granted: true));
        single.Now += TimeSpan.FromMilliseconds(400);
        single.Step(RaftEvent.Tick.Now);
        single.Core.Role.ShouldBe(RaftRole.Candidate, "nobody has been asked yet");

        single.Sync();
        single.Core.Deadline.ShouldBeInRange(
            single.Now + TimeSpan.FromMilliseconds(550), single.Now + TimeSpan.FromMilliseconds(700));
    }

    [Fact]
    public void A_leader_that_stood_still_itself_steps_down_once_nobody_answers_it_afterwards()
    {
        var single = new Single().Elect();
        single.Now += TimeSpan.FromSeconds(3);
        single.Step(RaftEvent.Tick.Now);
        single.Core.Role.ShouldBe(RaftRole.Leader, "what the others said meanwhile has yet to arrive");
        single.Sent.OfType<RaftMessage.Heartbeat>().ShouldNotBeEmpty();

        single.Now += TimeSpan.FromMilliseconds(151);
        single.Step(RaftEvent.Tick.Now);
        single.Core.Role.ShouldBe(RaftRole.Follower, "also if this check is late again");
    }

    [Fact]
    public void Learners_and_strangers_do_not_stand()
    {
        foreach (var members in new[] { Members.None, Members.Of([2, 3], 1), Members.Of([2, 3]) })
        {
            var single = new Single(members: members);
            single.TimeOut().Sent.ShouldBeEmpty();
            single.Core.Role.ShouldBe(RaftRole.Follower);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_may_not_stand_follows_nobody_either_once_its_leader_is_silent(bool isLearner)
    {
        var single = isLearner
            ? new Single(new HardState(1, 0), members: Members.Of([2, 3], 1))
            : new Single(new HardState(1, 0, Recovering: true));
        Beat(single, 0);
        single.Core.Leader.ShouldBe(2ul);

        single.TimeOut().Sent.ShouldBeEmpty();
        single.Core.Role.ShouldBe(RaftRole.Follower);
        single.Core.Leader.ShouldBe(0ul);
        single.Effects.OfType<RaftEffect.LeaderChanged>().Single().Leader.ShouldBe(0ul);
        single.TimeOut().Effects.ShouldBeEmpty("it has been said once");

        Beat(single, 50);
        single.Core.Leader.ShouldBe(2ul);
    }

    [Fact]
    public void Who_finds_its_own_removal_in_its_log_stands_for_it_may_not_be_committed()
    {
        Entry[] log =
        [
            new(1, 1, EntryKind.Membership, Members.Of([1, 2]).Encode()),
            new(1, 2, EntryKind.Membership, Members.Of([2]).Encode()),
        ];
        var single = new Single(new HardState(1, 0), log, members: Members.None);
        single.TimeOut();
        single.Core.Role.ShouldBe(RaftRole.PreCandidate, "a restart forgets what is committed");
        single.Append(1, 2, 1, commit: 2).TimeOut().Sent.ShouldBeEmpty();
    }

    [Fact]
    public void A_split_vote_ends_when_the_timeouts_differ()
    {
        var group = new Group(5);
        group.Until(() => group.Leader is not null);
        group.Propose(group.Leader.Id, "a");
        group.Until(() => group.Nodes.Values.All(n => n.Applied.Count == 1));
    }

    [Fact]
    public void A_follower_waits_longer_for_a_leader_whose_beats_came_late_and_forgets_it()
    {
        var single = new Single(new HardState(1, 0));
        Beat(single, 0);
        Patience(single).ShouldBeInRange(150, 300);

        Beat(single, 450);
        Patience(single).ShouldBeInRange(550, 700);

        for (var i = 0; i < 2_000; i++)
        {
            Beat(single, 50);
        }
        Patience(single).ShouldBeInRange(150, 310);
        Beat(single, 850);
        Patience(single).ShouldBeInRange(750, 900, "never more than the limit beyond the time-out");
    }

    [Fact]
    public void A_leader_that_was_away_is_not_waited_for_any_longer_afterwards()
    {
        var single = new Single(new HardState(1, 0));
        Beat(single, 0);
        Beat(single, 60_000);
        Patience(single).ShouldBeInRange(150, 300);
    }

    [Fact]
    public void A_leader_that_stood_still_itself_waits_no_longer_for_the_next_one()
    {
        var single = new Single(new HardState(1, 0)).Elect();
        single.Now += TimeSpan.FromSeconds(30);
        single.Receive(new RaftMessage.HeartbeatResponse(2, single.Core.Term, Round: 0, Recovering: false, Commit: 0));
        single.Receive(new RaftMessage.Heartbeat(3, single.Core.Term + 1, 0, 0));
        single.Core.Leader.ShouldBe(3ul);
        Patience(single).ShouldBeInRange(150, 300);
    }

    [Fact]
    public void A_check_that_comes_late_itself_leaves_the_leader_some_time_more()
    {
        var single = new Single(new HardState(1, 0));
        Beat(single, 0);
        single.Now += TimeSpan.FromSeconds(3);
        single.Step(RaftEvent.Tick.Now);
        single.Sent.ShouldBeEmpty("it stood still itself");
        single.Core.Role.ShouldBe(RaftRole.Follower);

        single.Now += TimeSpan.FromMilliseconds(150);
        single.Step(RaftEvent.Tick.Now);
        single.Core.Role.ShouldBe(RaftRole.PreCandidate);
    }

    [Fact]
    public void A_node_that_is_always_late_stands_all_the_same()
    {
        var single = new Single(new HardState(1, 0));
        Beat(single, 0);
        for (var i = 0; i < 2; i++)
        {
            single.Now += TimeSpan.FromSeconds(3);
            single.Step(RaftEvent.Tick.Now);
        }
        single.Core.Role.ShouldBe(RaftRole.PreCandidate);
    }

    private static void Beat(Single single, int afterMilliseconds)
    {
        single.Now += TimeSpan.FromMilliseconds(afterMilliseconds);
        single.Receive(new RaftMessage.Heartbeat(2, 1, 0, 0));
    }

    private static double Patience(Single single) => (single.Core.Deadline - single.Now).TotalMilliseconds;

    [Fact]
    public void A_leader_whose_process_has_ended_is_not_waited_for()
    {
        var single = new Single(new HardState(1, 0));
        single.Receive(new RaftMessage.Heartbeat(2, 1, 0, 0));
        single.Step(new RaftEvent.MemberGone(3));
        single.Core.Leader.ShouldBe(2ul, "it was another one");

        single.Step(new RaftEvent.MemberGone(2));
        single.Core.Leader.ShouldBe(0ul);
        single.Now += TimeSpan.FromMilliseconds(50);
        single.Step(RaftEvent.Tick.Now);
        single.Sent.OfType<RaftMessage.VoteRequest>().ShouldAllBe(request => request.IsPre && request.Term == 2);
        single.Core.Role.ShouldBe(RaftRole.PreCandidate);

        // It was wrong, or the leader is back.
        single.Receive(new RaftMessage.Heartbeat(2, 1, 0, 0));
        single.Core.Role.ShouldBe(RaftRole.Follower);
        single.Core.Leader.ShouldBe(2ul);
    }
}
