using static Hexcast.Raft.Tests.Single;

namespace Hexcast.Raft.Tests;

/// <summary>Raft 5.3, 5.4.2; dissertation 10.2.1.</summary>
public sealed class ReplicationTests
{
    [Theory]
    // Raft, figure 7: the leader of term 8 brings each of these logs to its own.
    [InlineData(new ulong[] { 1, 1, 1, 4, 4, 5, 5, 6, 6 })]
    [InlineData(new ulong[] { 1, 1, 1, 4 })]
    [InlineData(new ulong[] { 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6 })]
    [InlineData(new ulong[] { 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7 })]
    [InlineData(new ulong[] { 1, 1, 1, 4, 4, 4, 4 })]
    [InlineData(new ulong[] { 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3 })]
    public void A_followers_log_becomes_the_leaders(ulong[] terms)
    {
        ulong[] leaders = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
        var leader = new Single(new HardState(7, 0), Log(leaders)).Elect();
        var follower = new Single(new HardState(7, 0), Log(terms));
        var exchanges = 0;
        for (var wire = leader.Sent.OfType<RaftMessage.AppendRequest>().First(); ; exchanges++)
        {
            var answer = follower.Receive(wire with { From = 2 }).Sent.OfType<RaftMessage.AppendResponse>()
                .SingleOrDefault();
            if (answer is null)
            {
                break;
            }
            leader.Receive(answer with { From = 3 });
            wire = leader.Sent.OfType<RaftMessage.AppendRequest>().First();
        }
        follower.Sync().Sent.OfType<RaftMessage.AppendResponse>().Single().Index.ShouldBe(11ul);
        follower.Core.Log.Slice(1, 11).Select(e => e.Term).ShouldBe([.. leaders, 8]);
        exchanges.ShouldBeLessThanOrEqualTo(3, "a whole term is stepped over at once");
    }

    [Fact]
    public void An_entry_of_an_older_term_is_not_committed_by_counting()
    {
        // Raft, figure 8 (c): index 2 of term 2 reaches a majority in term 4.
        var single = new Single(new HardState(3, 0), Log(1, 2)).Elect();
        single.Sync();
        single.Accept(2, 2);
        single.Core.Commit.ShouldBe(0ul);
        single.Accept(2, 3);
        single.Core.Commit.ShouldBe(3ul, "with an entry of its own term, all before it is");
    }

    [Fact]
    public void A_follower_that_has_started_again_learns_what_is_committed_though_nothing_new_comes()
    {
        var group = new Group(3).Elect(1);
        group.Propose(1, "a");
        group.Crash(2);
        group.Boot(2).Core.Commit.ShouldBe(0ul);
        group.Until(() => group[2].Core.Commit == group[1].Core.Commit);
        group[1].Core.Role.ShouldBe(RaftRole.Leader);
    }

    [Fact]
    public void A_group_of_one_drops_what_its_full_disk_refuses_and_goes_on()
    {
        var group = new Group(1);
        group.Until(() => group[1].Core.Role == RaftRole.Leader);
        var last = group[1].Core.Log.LastIndex;
        group[1].HoldsDisk = true;
        group.Propose(1, "refused");
        group.Step(1, new RaftEvent.WriteRefused(), "n1's disk is full");
        group[1].Effects.OfType<RaftEffect.Dropped>().Single().From.ShouldBe(last + 1);
        group[1].Core.Log.LastIndex.ShouldBe(last);

        group.Sync(1);
        group.Propose(1, "taken");
        group[1].Core.Commit.ShouldBe(last + 1);
        group[1].Applied[^1].ShouldEndWith("taken");
    }

    [Fact]
    public void In_a_larger_group_what_one_full_disk_refuses_may_be_committed_by_the_others()
    {
        var group = new Group(3).Elect(1);
        group[1].HoldsDisk = true;
        group.Propose(1, "kept");
        group.Step(1, new RaftEvent.WriteRefused(), "n1's disk is full");
        group[1].Effects.OfType<RaftEffect.Dropped>().ShouldBeEmpty();
        group.Until(() => group[2].Core.Commit == group[1].Core.Log.LastIndex);
        group[2].Applied[^1].ShouldEndWith("kept");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_group_that_becomes_one_of_one_by_what_is_refused_drops_nothing(ulong removed)
    {
        var group = new Group(2).Elect(1);
        group.Settle();
        group[1].HoldsDisk = true;
        group.Propose(1, "kept");
        group.Change(1, MemberChange.Remove, removed);
        group.Step(1, new RaftEvent.WriteRefused(), "n1's disk is full");
        group[1].Effects.OfType<RaftEffect.Dropped>().ShouldBeEmpty("n2 has it, and may have committed it");
        group[1].Effects.OfType<RaftEffect.WriteAgain>().ShouldNotBeEmpty();
    }

    [Fact]
    public void A_leader_commits_by_the_others_disks_while_its_own_is_slow()
    {
        var single = new Single().Elect();
        single.Accept(2, 1);
        single.Core.Commit.ShouldBe(0ul, "its own disk does not have it");
        single.Accept(3, 1);
        single.Core.Commit.ShouldBe(1ul);
        single.Core.DurableIndex.ShouldBe(0ul);
    }

    [Fact]
    public void An_entry_is_acknowledged_when_it_is_durable()
    {
        var single = new Single();
        single.Append(1, 0, 0, 0, Log(1)).Sent.ShouldBeEmpty();
        single.Persists.Single().Entries.Count.ShouldBe(1);
        single.Sync().Sent.OfType<RaftMessage.AppendResponse>().Single().Index.ShouldBe(1ul);
    }

    [Fact]
    public void A_write_does_not_vouch_for_an_entry_that_replaced_its_own()
    {
        var single = new Single();
        single.Append(1, 0, 0, 0, Log(1, 1, 1));
        var first = single.Persists.Single().Sequence;
        single.Receive(new RaftMessage.AppendRequest(3, 2, 1, 1, [Log(1, 2, 2)[1], Log(1, 2, 2)[2]], 0));
        single.Persists.Single().TruncateFrom.ShouldBe(2ul);
        single.Step(new RaftEvent.Persisted(first));
        single.Core.DurableIndex.ShouldBe(1ul);
    }

    [Fact]
    public void A_commit_index_holds_no_further_than_what_was_compared()
    {
        var single = new Single(new HardState(1, 0), Log(1, 1, 1));
        single.Receive(new RaftMessage.Heartbeat(2, 2, Commit: 3, 0));
        single.Core.Commit.ShouldBe(0ul, "these may be another leader's entries");
        single.Append(2, 2, 1, commit: 3);
        single.Core.Commit.ShouldBe(2ul);
    }

    [Fact]
    public void Old_and_repeated_messages_do_not_shorten_the_log()
    {
        var single = new Single();
        single.Append(1, 0, 0, 0, Log(1, 1, 1));
        single.Append(1, 0, 0, 0, Log(1));
        single.Core.Log.LastIndex.ShouldBe(3ul);
        single.Append(1, 3, 1, commit: 3);
        single.Append(1, 1, 1, commit: 0, Log(1, 1)[1]);
        single.Core.Commit.ShouldBe(3ul);
        single.Core.Log.LastIndex.ShouldBe(3ul);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_follower_whose_disk_has_not_kept_what_it_acknowledged_is_sent_it_again(bool somethingNewComes)
    {
        var group = new Group(3).Elect(1);
        for (var i = 0; i < 5; i++)
        {
            group.Propose(1, $"entry {i}");
        }
        var last = group[3].Disk.Entries[^1].Index;
        group.Crash(3);
        group[3].Disk.Entries.RemoveAll(entry => entry.Index > last - 3);
        group.Boot(3);
        if (somethingNewComes)
        {
            group.Propose(1, "one more");
        }
        group.Until(() => group[3].Applied.Count == group[1].Applied.Count
            && group[3].Disk.Entries[^1].Index == group[1].Disk.Entries[^1].Index);
        group[1].Core.Role.ShouldBe(RaftRole.Leader);
    }

    [Fact]
    public void Only_so_much_is_on_its_way_to_a_follower()
    {
        var options = new RaftOptions { MaximumInflightMessages = 4, MaximumMessageBytes = 10 };
        var single = new Single(options: options).Elect();
        single.Sync();
        single.Accept(2, 1);
        var sent = 0;
        for (var i = 0; i < 10; i++)
        {
            single.Step(new RaftEvent.Propose(i, new byte[10]));
            sent += single.Effects.OfType<RaftEffect.Send>()
                .Count(s => s.To == 2 && s.Message is RaftMessage.AppendRequest { Entries.Count: > 0 });
        }
        sent.ShouldBe(4);
        single.Accept(2, 3).Effects.OfType<RaftEffect.Send>()
            .Count(s => s.To == 2 && s.Message is RaftMessage.AppendRequest { Entries.Count: > 0 }).ShouldBe(2);
    }

    [Fact]
    public void Proposals_that_cannot_be_taken_are_refused_by_name()
    {
        var options = new RaftOptions { MaximumPayloadBytes = 100, MaximumUncommittedBytes = 150 };
        var single = new Single(options: options);
        Refusal(1).ShouldBe(RaftError.NotLeader);
        single.Elect();
        Refusal(101).ShouldBe(RaftError.PayloadTooLarge);
        Refusal(100).ShouldBe(RaftError.None);
        Refusal(100).ShouldBe(RaftError.TooMuchUncommitted);
        single.Sync();
        single.Accept(2, 2);
        Refusal(100).ShouldBe(RaftError.None, "what is committed counts no more");
        single.Step(new RaftEvent.TransferLeadership(9, 3));
        Refusal(1).ShouldBe(RaftError.TransferUnderWay);

        RaftError Refusal(int bytes) => single.Step(new RaftEvent.Propose(1, new byte[bytes]))
            .Effects.OfType<RaftEffect.Refused>().Select(r => r.Error).SingleOrDefault();
    }

    [Fact]
    public void A_lost_message_is_sent_again()
    {
        var group = new Group(3).Elect(1);
        group.Cut(1, 3);
        group.Propose(1, "a");
        group.Heal();
        group.Pass(TimeSpan.FromMilliseconds(100));
        group[3].Applied.ShouldBe(["a"]);
    }
}
