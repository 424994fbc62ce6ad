using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>A leader that is written to without a pause, and a member that was away for long: the test is the two
/// others, and the leader's disk, which has its newest snapshot only.</summary>
public sealed class SnapshotSendingTests
{
    private const ulong Own = 1;
    private const ulong Quick = 2;
    private const ulong Late = 3;

    private static readonly CoordinatorLimits Limits = new()
    {
        SnapshotEntries = 10,
        Raft = new RaftOptions { EntriesKeptBehindSnapshot = 0, SnapshotChunkBytes = 64 },
    };

    private readonly Queue<CoordinatorEvent> _next = new();
    private readonly List<RaftMessage.InstallSnapshot> _pieces = [];
    private readonly List<ulong> _saved = [];
    private readonly CoordinatorCore _core;
    private byte[] _disk = [];
    private TimeSpan _now;
    private long _puts;
    private bool _isBack;

    public SnapshotSendingTests()
    {
        var mark = SnapshotMark.Start(Hexcast.Raft.Members.Of([Own, Quick, Late]));
        _core = new CoordinatorCore(
            new MemberIdentity("test", "node-1", Own, "127.0.0.1:1"), Limits, seed: 1,
            new Recovery(new StateMachine(), new Recovered(new HardState(1, Vote: 0), mark, [])), _now);
        _now = _core.Raft.Deadline;
        Step(new CoordinatorEvent.Tick());
        _core.IsLeader.ShouldBeTrue();
        for (var i = 0; i < 50; i++)
        {
            Write();
        }
        _saved.ShouldNotBeEmpty();
    }

    [Fact]
    public void A_member_gets_its_snapshot_whole_however_much_is_written_meanwhile()
    {
        ComeBack();
        for (var i = 0; i < 500 && !_pieces[^1].IsLast; i++)
        {
            Write();
            TakePiece();
        }
        _pieces[^1].IsLast.ShouldBeTrue($"{_pieces.Count} pieces of {_saved.Count} snapshots");
        _pieces.Count.ShouldBeGreaterThan(Limits.SnapshotEntries, "others were due meanwhile");

        // It has it: the next one is made.
        var saved = _saved.Count;
        _isBack = false;
        Receive(new RaftMessage.AppendResponse(
            Late, _core.Term, Accepted: true, _pieces[^1].Mark.Index, 0, 0, Recovering: false));
        _core.Raft.IsSendingSnapshot.ShouldBeFalse();
        Write();
        _saved.Count.ShouldBe(saved + 1);
    }

    [Theory]
    [InlineData(true, 60)]
    [InlineData(false, 2)]
    public void One_that_comes_to_no_end_is_waited_for_in_vain_for_its_time_only(bool answers, int seconds)
    {
        ComeBack();
        _isBack = answers;
        var (saved, began) = (_saved.Count, _now);
        while (_saved.Count == saved)
        {
            Write();
            Pass(TimeSpan.FromMilliseconds(50));
            (_now - began).TotalSeconds.ShouldBeLessThan(seconds + 5);
        }
        (_now - began).TotalSeconds.ShouldBeGreaterThanOrEqualTo(seconds);
    }

    /// <summary>It answers again, and gets its first piece.</summary>
    private void ComeBack()
    {
        _isBack = true;
        while (_pieces.Count == 0)
        {
            Pass(TimeSpan.FromMilliseconds(50));
        }
    }

    private void TakePiece()
    {
        var piece = _pieces[^1];
        Receive(new RaftMessage.InstallSnapshotResponse(
            Late, _core.Term, piece.Mark.Index, piece.Offset + piece.Bytes.Length));
    }

    private void Write() => Step(new CoordinatorEvent.Propose(++_puts, new Command
    {
        Put = new PutRequest { Key = ByteString.CopyFromUtf8($"key-{_puts:d5}") },
    }));

    private void Pass(TimeSpan time)
    {
        _now += time;
        Step(new CoordinatorEvent.Tick());
    }

    private void Receive(RaftMessage message) => Step(new CoordinatorEvent.ForRaft(new RaftEvent.Received(message)));

    private void Step(CoordinatorEvent happened)
    {
        _next.Enqueue(happened);
        while (_next.TryDequeue(out var next))
        {
            var effects = new List<CoordinatorEffect>();
            _core.Step([next], _now, effects);
            effects.ForEach(CarryOut);
        }
    }

    private void CarryOut(CoordinatorEffect effect)
    {
        switch (effect)
        {
            case CoordinatorEffect.SaveSnapshot save:
                _saved.Add(save.Snapshot.Index);
                _disk = save.Snapshot.State.ToByteArray();
                _next.Enqueue(new CoordinatorEvent.SnapshotDone(save.Snapshot.Index, Saved: true));
                break;
            case CoordinatorEffect.OfRaft { Effect: RaftEffect.Persist persist }:
                Hear(new RaftEvent.Persisted(persist.Sequence));
                break;
            case CoordinatorEffect.OfRaft { Effect: RaftEffect.ReadSnapshotChunk read }:
                Hear(Read(read));
                break;
            case CoordinatorEffect.OfRaft { Effect: RaftEffect.Send { Message: RaftMessage.InstallSnapshot piece } }:
                _pieces.Add(piece);
                break;
            case CoordinatorEffect.OfRaft { Effect: RaftEffect.Send send } when AnswerTo(send) is { } answer:
                Hear(new RaftEvent.Received(answer));
                break;
        }
    }

    private void Hear(RaftEvent happened) => _next.Enqueue(new CoordinatorEvent.ForRaft(happened));

    private RaftEvent.SnapshotChunkRead Read(RaftEffect.ReadSnapshotChunk read)
    {
        if (read.SnapshotIndex != _saved[^1])
        {
            return new RaftEvent.SnapshotChunkRead(read.To, read.SnapshotIndex, read.Offset, null, IsLast: false);
        }
        var rest = _disk.AsMemory((int)read.Offset);
        var piece = rest[..Math.Min(rest.Length, read.MaximumBytes)];
        return new RaftEvent.SnapshotChunkRead(
            read.To, read.SnapshotIndex, read.Offset, piece, piece.Length == rest.Length);
    }

    private RaftMessage? AnswerTo(RaftEffect.Send send) => (send.To, send.Message) switch
    {
        (Quick, RaftMessage.VoteRequest asked) =>
            new RaftMessage.VoteResponse(Quick, asked.Term, asked.IsPre, Granted: true),
        (Quick, RaftMessage.AppendRequest append) => new RaftMessage.AppendResponse(
            Quick, append.Term, Accepted: true, append.PreviousIndex + (ulong)append.Entries.Count, 0, 0,
            Recovering: false),
        (Late, RaftMessage.AppendRequest append) when _isBack => new RaftMessage.AppendResponse(
            Late, append.Term, Accepted: false, append.PreviousIndex, 0, 0, Recovering: false),
        (Quick, RaftMessage.Heartbeat beat) =>
            new RaftMessage.HeartbeatResponse(Quick, beat.Term, beat.Round, Recovering: false, beat.Commit),
        (Late, RaftMessage.Heartbeat beat) when _isBack =>
            new RaftMessage.HeartbeatResponse(Late, beat.Term, beat.Round, Recovering: false, Commit: 0),
        _ => null,
    };
}
