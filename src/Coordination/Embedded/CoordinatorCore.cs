using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;
using Hexcast.Coordination.Embedded.Watching;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// The coordinator as a state machine: Step(events, now) → effects. What changes something goes through the log of the
/// consensus core, and is answered when it is applied here; what reads waits until the core has proven where it stands.
///
///   Propose ─→ RaftCore ─ Persist, Send … Persisted, Received ─→ Apply ─→ Reply, SendWatch, SaveSnapshot
///   Read    ─→ RaftCore ─ ReadReady ─→ Reply from what is applied: linearizable on every member
///   KeepAlive ─ the same, on the leader: it alone knows how long a lease has
/// </summary>
internal sealed partial class CoordinatorCore
{
    public const string ProtocolVersion = "3.4.0";

    private readonly MemberIdentity _identity;
    private readonly CoordinatorLimits _limits;
    private readonly RaftCore _raft;
    private readonly WatchHub _watches;
    private readonly List<RaftEvent> _forRaft = [];
    private readonly List<RaftEffect> _ofRaft = [];

    /// <summary>Reads, keep-alives and new watches that wait for their proof.</summary>
    private readonly Dictionary<long, CoordinatorEvent> _reading = [];

    private readonly UnprovenWatches _unproven = new();

    /// <summary>What this member has put into the log as its leader, until it is applied.</summary>
    private readonly SortedDictionary<ulong, Proposal> _proposed = [];

    /// <summary>Handed to the consensus core in this step.</summary>
    private readonly Dictionary<long, Command> _proposing = [];

    private StateMachine _state;
    private List<CoordinatorEffect> _effects = [];
    private ulong _appliedIndex;
    private TimeSpan _now;

    /// <summary>Requests of the leader itself; those of clients count up from 1.</summary>
    private long _lastOwnRequest;

    private long _refusedForSize;

    private readonly record struct Proposal(ulong Term, long RequestId, Command Command);

    public CoordinatorCore(
        MemberIdentity identity, CoordinatorLimits limits, ulong seed, Recovery recovery, TimeSpan now)
    {
        (_identity, _limits) = (identity, limits);
        _state = recovery.State;
        _lastNow = _leaderKnownAt = _leaseClockSetAt = now;
        var termStart = new Command { TermStart = new TermStart { Node = identity.NodeName } };
        var setup = new RaftSetup(identity.MemberId, limits.Raft, seed, termStart.ToByteArray());
        _raft = new RaftCore(setup, recovery.ForRaft, now);
        _appliedIndex = _snapshotIndex = recovery.ForRaft.Snapshot.Index;
        _watches = new WatchHub(_state.Store, Header, (stream, response) =>
            _effects.Add(new CoordinatorEffect.SendWatch(stream, response)));
    }

    public ulong AppliedIndex => _appliedIndex;

    /// <summary>For whoever looks on. Nobody else steps it.</summary>
    public RaftCore Raft => _raft;

    /// <summary>What is applied.</summary>
    public StateMachine State => _state;

    public ulong Term => _raft.Term;

    public ulong Leader => _raft.Leader;

    public bool IsLeader => _raft.Role == RaftRole.Leader;

    public Members Members => _raft.Members;

    public IReadOnlyList<SavedMember> KnownMembers => [.. _state.Members.Values];

    /// <summary>The others look for this member somewhere else, or may, for it hears none of them: it has to tell them
    /// where it is.</summary>
    public bool IsSoughtElsewhere => !IsLeader && (IsLeaderless || (OwnRecord is { } own && !IsTrue(own)));

    private SavedMember? OwnRecord => _state.Members.GetValueOrDefault(_identity.MemberId);

    /// <summary>On the leader: how much of its log each member has.</summary>
    public IReadOnlyDictionary<ulong, ulong> Matches =>
        _raft.Progresses.ToDictionary(progress => progress.Node, progress => progress.Match);

    /// <summary>A tick is due then.</summary>
    public TimeSpan Deadline
    {
        get
        {
            var own = _lastNow + TickInterval;
            return own < _raft.Deadline ? own : _raft.Deadline;
        }
    }

    public CoordinatorFigures Figures => new()
    {
        LogEntries = (long)(_raft.Log.LastIndex - _snapshotIndex),
        StoreBytes = _state.Store.SizeBytes,
        StoreLimitBytes = _limits.StoreBytes,
        RefusedForSize = _refusedForSize,
        Revision = _state.Store.Revision,
        Watches = _watches.WatcherCount,
        Term = (long)_raft.Term,
        Leads = IsLeader,
        HasLeader = Leader != 0,
        Voters = _raft.Members.Voters.Count,
        Lags = [.. _raft.Progresses.Select(progress =>
            (_state.Members.GetValueOrDefault(progress.Node)?.Node ?? "", (long)(LastIndex - progress.Match)))],
    };

    private ulong LastIndex => _raft.Log.LastIndex;

    /// <summary>Several at once: what they append goes out in one message a follower and in one write.</summary>
    /// <param name="now">Of a monotonic clock; not less than in the step before.</param>
    public void Step(IReadOnlyList<CoordinatorEvent> events, TimeSpan now, List<CoordinatorEffect> effects)
    {
        (_effects, _now) = (effects, now);
        var advances = true;
        Planted.Bend(
            CoordinatorFault.LeaseClockStandsBetweenTicks, ref advances,
            to: events.Any(happened => happened is CoordinatorEvent.Tick));
        if (advances)
        {
            AdvanceLeaseClock();
        }
        foreach (var happened in events)
        {
            OnEvent(happened);
        }
        // What is applied may ask for more: a snapshot, the end of a lease, the next voter.
        while (_forRaft.Count > 0)
        {
            _raft.Step(_forRaft, now, _ofRaft);
            _forRaft.Clear();
            foreach (var effect in _ofRaft)
            {
                OnRaft(effect);
            }
            _ofRaft.Clear();
        }
    }

    private void OnEvent(CoordinatorEvent happened)
    {
        switch (happened)
        {
            case CoordinatorEvent.Propose propose:
                Propose(propose.RequestId, propose.Command);
                break;
            case CoordinatorEvent.Read read when NeedsNoProof(read.Request):
                Reply(read.RequestId, ReadState(read.Request));
                break;
            case CoordinatorEvent.Read { Request: LeaseTimeToLiveRequest or LeaseLeasesRequest } read when !IsLeader:
                Redirect(read.RequestId);
                break;
            case CoordinatorEvent.Read read:
                ReadWhenProven(read.RequestId, read);
                break;
            case CoordinatorEvent.KeepAlive keepAlive when !IsLeader:
                Redirect(keepAlive.RequestId);
                break;
            case CoordinatorEvent.KeepAlive keepAlive:
                KeepAliveWhenProven(keepAlive);
                break;
            case CoordinatorEvent.WatchAsked asked when _unproven.MustWait(asked.StreamId, asked.Request):
                WatchWhenProven(asked);
                break;
            case CoordinatorEvent.WatchAsked asked:
                _watches.Request(asked.StreamId, asked.Request, _now);
                break;
            case CoordinatorEvent.WatchTaken taken:
                _watches.Taken(taken.StreamId, taken.Events);
                break;
            case CoordinatorEvent.WatchClosed closed:
                CloseWatch(closed.StreamId);
                break;
            case CoordinatorEvent.ForRaft forRaft:
                _forRaft.Add(forRaft.Event);
                break;
            case CoordinatorEvent.SnapshotDone done:
                SnapshotDone(done.Index, done.Saved);
                break;
            case CoordinatorEvent.SnapshotInstalled installed:
                Install(installed.Snapshot);
                break;
            case CoordinatorEvent.Tick:
                Tick();
                break;
        }
    }

    private void OnRaft(RaftEffect effect)
    {
        switch (effect)
        {
            case RaftEffect.Apply apply:
                foreach (var entry in apply.Entries)
                {
                    Apply(entry);
                }
                SnapshotIfDue();
                break;
            case RaftEffect.Proposed proposed:
                // A change of members is the core's own: its answer is that it is in force.
                _proposing.Remove(proposed.RequestId, out var command);
                _proposed[proposed.Index] = new Proposal(
                    proposed.Term, proposed.RequestId, command ?? new Command());
                break;
            case RaftEffect.ReadReady ready when _reading.Remove(ready.RequestId, out var read):
                AnswerProven(ready.RequestId, read);
                break;
            case RaftEffect.Refused refused:
                Refuse(refused);
                break;
            case RaftEffect.Dropped dropped:
                EndProposals(from: dropped.From, new Outcome(null, CoordinatorError.NoSpace));
                break;
            case RaftEffect.Transferred transferred:
                Reply(transferred.RequestId, default);
                break;
            case RaftEffect.LeaderChanged changed:
                LeaderChanged(changed);
                _effects.Add(new CoordinatorEffect.OfRaft(effect));
                break;
            default:
                _effects.Add(new CoordinatorEffect.OfRaft(effect));
                break;
        }
    }

    private void Propose(long requestId, Command command)
    {
        if (!IsLeader)
        {
            Redirect(requestId);
            return;
        }
        if (command.KindCase == Command.KindOneofCase.LeaseGrant)
        {
            command.LeaseGrant.TTL = Math.Max(command.LeaseGrant.TTL, Leases.LeaseTable.MinimumSeconds);
            if (command.LeaseGrant.ID == 0)
            {
                command.LeaseGrant.ID = NewLeaseId();
            }
        }
        if (Grows(command) && _state.Store.SizeBytes > _limits.StoreBytes)
        {
            _refusedForSize++;
            Reply(requestId, new Outcome(null, CoordinatorError.NoSpace));
            return;
        }
        if (RequestReach.Check(_state.Store, command) is not CoordinatorError.None and var tooMuch)
        {
            Reply(requestId, new Outcome(null, tooMuch));
            return;
        }
        _proposing[requestId] = command;
        _forRaft.Add(new RaftEvent.Propose(requestId, command.ToByteArray()));
    }

    private void ProposeOwn(Command command) => Propose(--_lastOwnRequest, command);

    private static bool Grows(Command command) => command.KindCase switch
    {
        Command.KindOneofCase.Put or Command.KindOneofCase.LeaseGrant => true,
        Command.KindOneofCase.Txn => RequestRules.HasPut(command.Txn),
        _ => false,
    };

    private void ReadWhenProven(long requestId, CoordinatorEvent read)
    {
        _reading[requestId] = read;
        _forRaft.Add(new RaftEvent.Read(requestId));
    }

    private void Refuse(RaftEffect.Refused refused)
    {
        if (_reading.Remove(refused.RequestId, out var read) && read is CoordinatorEvent.WatchProof proof)
        {
            _unproven.Failed(proof.StreamId);
        }
        if (_proposing.Remove(refused.RequestId, out var command))
        {
            Forget(command);
        }
        switch (refused.Error)
        {
            case RaftError.NotLeader or RaftError.ReadTimedOut or RaftError.TransferUnderWay
                or RaftError.TermNotEstablished:
                _effects.Add(new CoordinatorEffect.Redirect(refused.RequestId, refused.Leader));
                break;
            case RaftError.PayloadTooLarge:
                Reply(refused.RequestId, new Outcome(null, CoordinatorError.RequestTooLarge));
                break;
            case RaftError.TooManyReads or RaftError.TooMuchUncommitted:
                Reply(refused.RequestId, new Outcome(null, CoordinatorError.TooManyRequests));
                break;
            default:
                _effects.Add(new CoordinatorEffect.Refuse(refused.RequestId, refused.Error));
                break;
        }
    }

    private void Redirect(long requestId) =>
        _effects.Add(new CoordinatorEffect.Redirect(requestId, IsLeader ? 0 : _raft.Leader));

    private void Reply(long requestId, Outcome outcome)
    {
        // The leader's own have nobody who waits.
        if (requestId > 0)
        {
            _effects.Add(new CoordinatorEffect.Reply(requestId, outcome));
        }
    }

    private bool IsTrue(SavedMember own) => own.Equals(_identity.AsMember());

    private ResponseHeader Header(long revision) => _identity.Header(revision, _raft.Term);
}
