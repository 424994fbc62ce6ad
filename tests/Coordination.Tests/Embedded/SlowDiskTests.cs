using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>A leader whose disk is slower than the others'; the test is the rest of its group, and its disk.</summary>
public sealed class SlowDiskTests
{
    private const ulong Own = 1;
    private const ulong Other = 2;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly CoordinatorCore _core;
    private readonly List<ulong> _snapshots = [];
    private List<RaftEffect> _effects = [];
    private TimeSpan _now;
    private ulong _last;

    public SlowDiskTests()
    {
        var mark = SnapshotMark.Start(Hexcast.Raft.Members.Of([Own, Other, 3]));
        _core = new CoordinatorCore(
            new MemberIdentity("test", "node-1", Own, "127.0.0.1:1"),
            new CoordinatorLimits { SnapshotEntries = 8 }, seed: 1,
            new Recovery(new StateMachine(), new Recovered(new HardState(1, Vote: 0), mark, [])), _now);
        _now += TimeSpan.FromSeconds(1);
        Step(new CoordinatorEvent.Tick());
        Receive(new RaftMessage.VoteResponse(Other, Term: 2, IsPre: true, Granted: true));
        Sync();
        Receive(new RaftMessage.VoteResponse(Other, Term: 2, IsPre: false, Granted: true));
        _core.IsLeader.ShouldBeTrue();
        Acknowledge();
        Sync();
        Acknowledge();
        Sync();
    }

    private bool HandsOver => _effects.OfType<RaftEffect.Send>().Any(send => send.Message is RaftMessage.TimeoutNow);

    [Fact]
    public void A_slow_moment_is_no_reason_to_hand_over()
    {
        for (var i = 0; i < 3; i++)
        {
            Write();
            PassUntilHandedOver(ticks: 5).ShouldBeFalse();
            Sync();
            PassUntilHandedOver(ticks: 1).ShouldBeFalse();
            Write();
            Sync();
            PassUntilHandedOver(ticks: 2).ShouldBeFalse();
            Write();
            PassUntilHandedOver(ticks: 2).ShouldBeFalse();
            Sync();
            PassUntilHandedOver(ticks: 2).ShouldBeFalse();
        }
    }

    [Fact]
    public void A_disk_that_is_slow_twice_in_a_row_loses_the_leadership()
    {
        Write();
        PassUntilHandedOver(ticks: 5).ShouldBeFalse();
        Sync();
        PassUntilHandedOver(ticks: 20).ShouldBeFalse("it has all, and a while without writes says nothing of it");
        Write();
        PassUntilHandedOver(ticks: 5).ShouldBeTrue();
    }

    [Fact]
    public void A_disk_that_takes_nothing_any_more_loses_the_leadership()
    {
        Write();
        PassUntilHandedOver(ticks: 8).ShouldBeTrue();
    }

    /// <summary>One that was killed between the two would find a log that ends before its snapshot.</summary>
    [Fact]
    public void A_snapshot_is_not_saved_before_the_log_that_it_replaces()
    {
        for (var i = 0; i < 12; i++)
        {
            Write();
            Acknowledge(from: 3);
        }
        _core.AppliedIndex.ShouldBe(_last);
        _snapshots.ShouldBeEmpty();
        Sync();
        PassUntilHandedOver(ticks: 1).ShouldBeFalse();
        _snapshots.ShouldHaveSingleItem().ShouldBeLessThanOrEqualTo(_core.Raft.DurableIndex);
    }

    private bool PassUntilHandedOver(int ticks)
    {
        for (var i = 0; i < ticks && !HandsOver; i++)
        {
            _now += Tick;
            Step(new CoordinatorEvent.Tick());
            if (!HandsOver)
            {
                Receive(new RaftMessage.HeartbeatResponse(Other, Term: 2, Round: 0, Recovering: false, _last));
            }
        }
        return HandsOver;
    }

    /// <summary>The others have it at once.</summary>
    private void Write()
    {
        Step(new CoordinatorEvent.Propose(
            (long)_last + 1, new Command { Put = new PutRequest { Key = ByteString.CopyFromUtf8("key") } }));
        Acknowledge();
    }

    private void Acknowledge(ulong from = Other)
    {
        _last = _core.Raft.Log.LastIndex;
        Receive(new RaftMessage.AppendResponse(from, Term: 2, Accepted: true, _last, 0, 0, Recovering: false));
    }

    private void Sync() => Step(new CoordinatorEvent.ForRaft(new RaftEvent.Persisted(ulong.MaxValue)));

    private void Receive(RaftMessage message) => Step(new CoordinatorEvent.ForRaft(new RaftEvent.Received(message)));

    private void Step(CoordinatorEvent happened)
    {
        var effects = new List<CoordinatorEffect>();
        _core.Step([happened], _now, effects);
        _snapshots.AddRange(effects.OfType<CoordinatorEffect.SaveSnapshot>().Select(save => save.Snapshot.Index));
        _effects = [.. effects.OfType<CoordinatorEffect.OfRaft>().Select(effect => effect.Effect)];
    }
}
