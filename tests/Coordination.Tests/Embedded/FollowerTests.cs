using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Watching;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>A member that does not lead; the test is the rest of its group.</summary>
public sealed class FollowerTests
{
    private const ulong Own = 1;
    private const ulong Leader = 2;

    private readonly List<CoordinatorEffect> _effects = [];
    private CoordinatorCore _core = null!;
    private TimeSpan _now;

    public FollowerTests() => Begin(Hexcast.Raft.Members.Of([Own, Leader, 3]));

    private void Begin(Hexcast.Raft.Members members)
    {
        var mark = SnapshotMark.Start(members);
        _core = new CoordinatorCore(
            new MemberIdentity("test", "node-1", Own, "127.0.0.1:1"), new CoordinatorLimits(), seed: 1,
            new Recovery(new StateMachine(), new Recovered(new HardState(1, Vote: 0), mark, [])), _now);
        HearLeader();
    }

    private IEnumerable<RaftMessage.ReadRequest> Questions => _effects.OfType<CoordinatorEffect.OfRaft>()
        .Select(effect => effect.Effect).OfType<RaftEffect.Send>()
        .Select(send => send.Message).OfType<RaftMessage.ReadRequest>();

    private IEnumerable<WatchResponse> Watched => _effects.OfType<CoordinatorEffect.SendWatch>()
        .Select(send => send.Response);

    private void Step(CoordinatorEvent happened) => _core.Step([happened], _now, _effects);

    private void Receive(RaftMessage message) => Step(new CoordinatorEvent.ForRaft(new RaftEvent.Received(message)));

    private void HearLeader() => Receive(new RaftMessage.Heartbeat(Leader, Term: 1, Commit: 0, Round: 0));

    private void Watch(long stream, long id) => Step(new CoordinatorEvent.WatchAsked(stream, new WatchRequest
    {
        CreateRequest = new WatchCreateRequest { Key = ByteString.CopyFromUtf8("key"), WatchId = id },
    }));

    private void Cancel(long stream, long id) => Step(new CoordinatorEvent.WatchAsked(stream, new WatchRequest
    {
        CancelRequest = new WatchCancelRequest { WatchId = id },
    }));

    private void Answer(RaftMessage.ReadRequest question) =>
        Receive(new RaftMessage.ReadResponse(Leader, Term: 1, question.Context, Index: 0));

    private void Pass(TimeSpan time, bool isLed)
    {
        for (var until = _now + time; _now < until;)
        {
            _now += TimeSpan.FromMilliseconds(100);
            if (isLed)
            {
                HearLeader();
            }
            Step(new CoordinatorEvent.Tick());
        }
    }

    [Fact]
    public void What_a_stream_asks_for_is_done_in_its_order_whatever_becomes_of_the_questions()
    {
        for (var id = 1; id <= 20; id++)
        {
            Watch(stream: 7, id);
        }
        Cancel(stream: 7, id: 20);
        Watched.ShouldBeEmpty("nobody has said yet where the log stands");
        var asked = 0;
        while (Questions.Skip(asked).ToList() is { Count: > 0 } open)
        {
            asked += open.Count;
            open.Reverse();
            open.ForEach(Answer);
        }
        Watched.Where(response => response.Created).Select(response => response.WatchId)
            .ShouldBe(Enumerable.Range(1, 20).Select(id => (long)id));
        Watched.Last().Canceled.ShouldBeTrue();
        Watched.Last().WatchId.ShouldBe(20);
        asked.ShouldBeLessThan(20, "one answer serves all that waited for it");
    }

    [Fact]
    public void A_watch_that_nobody_vouches_for_ends_by_name()
    {
        Watch(stream: 7, id: 1);
        Pass(TimeSpan.FromSeconds(4), isLed: true);
        _effects.OfType<CoordinatorEffect.EndWatch>().ShouldHaveSingleItem()
            .ShouldBe(new CoordinatorEffect.EndWatch(7, CoordinatorError.NoLeader));
        Watched.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_member_that_hears_no_leader_keeps_no_watcher_waiting(bool isLearner)
    {
        if (isLearner)
        {
            Begin(Hexcast.Raft.Members.Of([Leader, 3], Own));
        }
        Watch(stream: 7, id: 1);
        Answer(Questions.Single());
        Watched.Single().Created.ShouldBeTrue();
        Pass(TimeSpan.FromSeconds(10), isLed: true);
        _effects.OfType<CoordinatorEffect.EndWatch>().ShouldBeEmpty();

        // As one that was removed: nobody speaks to it any more, and nobody has told it why.
        Watch(stream: 8, id: 1);
        Pass(TimeSpan.FromSeconds(4), isLed: false);
        _effects.OfType<CoordinatorEffect.EndWatch>().Select(end => (end.StreamId, end.Error)).ShouldBe(
            [(7, CoordinatorError.NoLeader), (8, CoordinatorError.NoLeader)], ignoreOrder: true);
        _core.Leader.ShouldBe(0ul);
    }

    [Fact]
    public void Only_a_leader_that_is_lost_for_longer_than_an_election_counts_as_lost()
    {
        Pass(TimeSpan.FromSeconds(2), isLed: true);
        (_core.IsLeaderless, _core.Figures.HasLeader).ShouldBe((false, true));
        Pass(TimeSpan.FromSeconds(2), isLed: false);
        (_core.IsLeaderless, _core.Figures.HasLeader).ShouldBe((false, false));
        Pass(TimeSpan.FromSeconds(2), isLed: false);
        _core.IsLeaderless.ShouldBeTrue();
        Pass(TimeSpan.FromSeconds(1), isLed: true);
        (_core.IsLeaderless, _core.Figures.HasLeader).ShouldBe((false, true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_member_that_the_group_does_not_find_knows_it(bool isLearner)
    {
        Begin(isLearner ? Hexcast.Raft.Members.Of([Leader, 3], Own) : Hexcast.Raft.Members.Of([Own, Leader, 3]));
        _core.IsSoughtElsewhere.ShouldBeFalse("it has no word of it yet");
        Apply(1, new SavedMember { Id = Own, Node = "node-1", Address = "127.0.0.1:11" });
        _core.IsSoughtElsewhere.ShouldBeTrue("the others would open their next lines there");
        Apply(2, new SavedMember { Id = Own, Node = "node-1", Address = "127.0.0.1:1" });
        _core.IsSoughtElsewhere.ShouldBeFalse();
        Pass(TimeSpan.FromSeconds(2), isLed: false);
        _core.IsSoughtElsewhere.ShouldBeFalse("an election may take so long");
        Pass(TimeSpan.FromSeconds(2), isLed: false);
        _core.IsSoughtElsewhere.ShouldBeTrue("they may reach for an address that it has left");
    }

    private void Apply(ulong index, SavedMember member)
    {
        var entry = new Entry(1, index, EntryKind.Command, new Command { MemberPut = member }.ToByteArray());
        Receive(new RaftMessage.AppendRequest(
            Leader, Term: 1, index - 1, index == 1 ? 0ul : 1ul, [entry], Commit: index));
    }

    [Fact]
    public void A_hand_over_that_another_leader_was_to_make_is_refused_and_not_passed_on()
    {
        Step(new CoordinatorEvent.ForRaft(new RaftEvent.TransferLeadership(7, To: 3)));
        Step(new CoordinatorEvent.ForRaft(new RaftEvent.TransferLeadership(8, To: 3, OfTerm: 1)));
        _effects.OfType<CoordinatorEffect.Redirect>().ShouldBe([new CoordinatorEffect.Redirect(7, Leader)]);
        _effects.OfType<CoordinatorEffect.Refuse>()
            .ShouldBe([new CoordinatorEffect.Refuse(8, RaftError.LeadsNoMore)]);
    }

    [Fact]
    public void Requests_that_wait_are_bounded()
    {
        for (var id = 1; id <= WatchHub.MaximumWatchersPerStream; id++)
        {
            Watch(stream: 7, id);
        }
        _effects.OfType<CoordinatorEffect.EndWatch>().ShouldBeEmpty();
        Watch(stream: 7, id: 5_000);
        _effects.OfType<CoordinatorEffect.EndWatch>().ShouldHaveSingleItem()
            .ShouldBe(new CoordinatorEffect.EndWatch(7, CoordinatorError.TooManyRequests));
    }
}
