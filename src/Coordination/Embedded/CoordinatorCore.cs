using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;
using Hexcast.Coordination.Embedded.Watching;

namespace Hexcast.Coordination.Embedded;

/// <summary>When the coordinator makes a snapshot and how much of the past it keeps.</summary>
internal sealed record CoordinatorLimits
{
    public int SnapshotEntries { get; init; } = 10_000;

    public long SnapshotBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Revisions that watches can go back; older ones are compacted once twice as many are there.</summary>
    public long HistoryRevisions { get; init; } = 10_000;

    /// <summary>What keys, values and history may take; beyond it writes are refused until something is
    /// deleted.</summary>
    public long StoreBytes { get; init; } = 512L * 1024 * 1024;
}

/// <summary>How large things are, for whoever watches.</summary>
internal readonly record struct CoordinatorFigures(
    long LogEntries, long StoreBytes, long Revision, int Watches, long Term);

/// <summary>
/// The coordinator as a state machine: Step(event, now) → effects. With one voter it leads from its first entry on, and
/// an entry is committed as soon as it is on this disk.
///
///   Propose ─(1)→ entry, Append ─ shell writes and fsyncs ─(2)→ Persisted ─(3)→ apply: Reply, SendWatch, SaveSnapshot
///   Read ─(4)→ Reply from what is applied. What was answered is applied, so a read after it sees it: linearizable.
/// </summary>
internal sealed class CoordinatorCore
{
    public const string ProtocolVersion = "3.4.0";

    private const int ExpiriesPerEntry = 512;

    // The log holds the end of a lease, so that must not be decided because this process was stopped for a while:
    // the leases' clock runs at most this much between two ticks.
    private static readonly TimeSpan MaximumTickAdvance = TimeSpan.FromMilliseconds(500);

    private readonly StateMachine _state;
    private readonly MemberIdentity _identity;
    private readonly CoordinatorLimits _limits;
    private readonly WatchHub _watches;
    private readonly ulong _term;
    private readonly Queue<(LogEntry Entry, long? RequestId)> _unapplied = new();
    private List<CoordinatorEffect> _effects = [];

    private ulong _lastIndex;
    private ulong _appliedIndex;
    private ulong _snapshotIndex;
    private long _bytesSinceSnapshot;
    private bool _snapshotAsked;
    private bool _compactionAsked;
    private uint _leasesNamed;
    private TimeSpan _lastNow;
    private TimeSpan _leaseClock;

    /// <param name="state">As recovered: everything in snapshot and log is applied.</param>
    /// <param name="term">New, and durable already.</param>
    public CoordinatorCore(
        StateMachine state, MemberIdentity identity, CoordinatorLimits limits, ulong term, LogPosition recovered)
    {
        (_state, _identity, _limits, _term) = (state, identity, limits, term);
        _lastIndex = _appliedIndex = recovered.LastIndex;
        _snapshotIndex = recovered.SnapshotIndex;
        _bytesSinceSnapshot = recovered.BytesSinceSnapshot;
        _watches = new WatchHub(state.Store, Header, (stream, response) =>
            _effects.Add(new CoordinatorEffect.SendWatch(stream, response)));
    }

    public ulong LastIndex => _lastIndex;

    public ulong AppliedIndex => _appliedIndex;

    public CoordinatorFigures Figures => new(
        (long)(_lastIndex - _snapshotIndex), _state.Store.SizeBytes, _state.Store.Revision, _watches.WatcherCount,
        (long)_term);

    /// <summary>The first step: publishes this node as the master under the new term.</summary>
    public void Lead(TimeSpan now, List<CoordinatorEffect> effects)
    {
        _effects = effects;
        _lastNow = now;
        _state.Leases.RenewAll(_leaseClock);
        Append(new Command { TermStart = new TermStart { Node = _identity.NodeName } }, requestId: null);
    }

    public void Step(CoordinatorEvent @event, TimeSpan now, List<CoordinatorEffect> effects)
    {
        _effects = effects;
        switch (@event)
        {
            case CoordinatorEvent.Propose propose:
                Propose(propose);
                break;
            case CoordinatorEvent.Read read:
                Reply(read.RequestId, Answer(read.Request));
                break;
            case CoordinatorEvent.KeepAlive keepAlive:
                Reply(keepAlive.RequestId, new Outcome(new LeaseKeepAliveResponse
                {
                    Header = Header(_state.Store.Revision),
                    ID = keepAlive.LeaseId,
                    TTL = _state.Leases.KeepAlive(keepAlive.LeaseId, _leaseClock),
                }));
                break;
            case CoordinatorEvent.WatchAsked asked:
                _watches.Request(asked.StreamId, asked.Request, now);
                break;
            case CoordinatorEvent.WatchTaken taken:
                _watches.Taken(taken.StreamId, taken.Events);
                break;
            case CoordinatorEvent.WatchClosed closed:
                _watches.Close(closed.StreamId);
                break;
            case CoordinatorEvent.Persisted persisted:
                Apply(persisted.Index, now);
                break;
            case CoordinatorEvent.AppendRefused refused:
                Refuse(refused.After);
                break;
            case CoordinatorEvent.SnapshotDone done:
                // One that failed is tried again when as many entries have come as between two.
                _snapshotIndex = done.Index;
                _snapshotAsked = false;
                break;
            case CoordinatorEvent.Tick:
                Tick(now);
                break;
        }
    }

    private void Propose(CoordinatorEvent.Propose propose)
    {
        var command = propose.Command;
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
            Reply(propose.RequestId, new Outcome(null, CoordinatorError.NoSpace));
            return;
        }
        Append(command, propose.RequestId);
    }

    private static bool Grows(Command command) => command.KindCase switch
    {
        Command.KindOneofCase.Put or Command.KindOneofCase.LeaseGrant => true,
        Command.KindOneofCase.Txn => RequestRules.HasPut(command.Txn),
        _ => false,
    };

    /// <summary>Unique without a random source: no two leaders share a term.</summary>
    private long NewLeaseId()
    {
        long id;
        do
        {
            id = (long)((_term & 0x7fff_ffff) << 32 | ++_leasesNamed);
        }
        while (_state.Leases.Exists(id));
        return id;
    }

    private void Append(Command command, long? requestId)
    {
        var entry = new LogEntry(_term, ++_lastIndex, command);
        _unapplied.Enqueue((entry, requestId));
        _effects.Add(new CoordinatorEffect.Append(entry));
    }

    private void Apply(ulong durableIndex, TimeSpan now)
    {
        while (_unapplied.TryPeek(out var next) && next.Entry.Index <= durableIndex)
        {
            _unapplied.Dequeue();
            var command = next.Entry.Command;
            var outcome = _state.Apply(command, _leaseClock, revision => _watches.Publish(revision, now));
            _appliedIndex = next.Entry.Index;
            _bytesSinceSnapshot += command.CalculateSize();
            if (command.KindCase == Command.KindOneofCase.Compact)
            {
                _compactionAsked = false;
            }
            if (next.RequestId is { } requestId)
            {
                Reply(requestId, WithIdentity(outcome));
            }
        }
        if (!_snapshotAsked && (_appliedIndex - _snapshotIndex >= (ulong)_limits.SnapshotEntries
            || _bytesSinceSnapshot >= _limits.SnapshotBytes))
        {
            _snapshotAsked = true;
            _bytesSinceSnapshot = 0;
            var snapshot = new Snapshot(_term, _appliedIndex, SnapshotContent.Of(_state));
            _effects.Add(new CoordinatorEffect.SaveSnapshot(snapshot));
        }
    }

    private void Refuse(ulong after)
    {
        while (_unapplied.TryDequeue(out var refused))
        {
            var command = refused.Entry.Command;
            switch (command.KindCase)
            {
                case Command.KindOneofCase.Compact:
                    _compactionAsked = false;
                    break;
                case Command.KindOneofCase.LeaseExpire:
                    _state.Leases.Unname(command.LeaseExpire.Ids);
                    break;
            }
            if (refused.RequestId is { } requestId)
            {
                Reply(requestId, new Outcome(null, CoordinatorError.NoSpace));
            }
        }
        _lastIndex = after;
    }

    private void Tick(TimeSpan now)
    {
        var passed = now - _lastNow;
        _lastNow = now;
        _leaseClock += passed < MaximumTickAdvance ? passed : MaximumTickAdvance;
        var expired = _state.Leases.TakeExpired(_leaseClock, ExpiriesPerEntry);
        if (expired.Count > 0)
        {
            Append(new Command { LeaseExpire = new LeaseExpire { Ids = { expired } } }, requestId: null);
        }
        var store = _state.Store;
        if (!_compactionAsked && store.Revision - store.CompactedRevision >= 2 * _limits.HistoryRevisions)
        {
            _compactionAsked = true;
            var revision = store.Revision - _limits.HistoryRevisions;
            Append(new Command { Compact = new CompactionRequest { Revision = revision } }, requestId: null);
        }
        _watches.Tick(now);
    }

    private Outcome Answer(IMessage request)
    {
        switch (request)
        {
            case RangeRequest range:
                var error = RangeReader.Check(_state.Store, range);
                return WithIdentity(error != CoordinatorError.None
                    ? new Outcome(null, error)
                    : new Outcome(RangeReader.Read(_state.Store, range)));
            case TxnRequest txn:
                return WithIdentity(_state.ReadTxn(txn));
            case LeaseTimeToLiveRequest look:
                return new Outcome(Look(look));
            case LeaseLeasesRequest:
                var leases = new LeaseLeasesResponse { Header = Header(_state.Store.Revision) };
                leases.Leases.AddRange(_state.Leases.ByDeadline.Select(id => new LeaseStatus { ID = id }));
                return new Outcome(leases);
            case StatusRequest:
                return new Outcome(Status());
            default:
                throw new InvalidOperationException($"{request.Descriptor.Name} is not a read.");
        }
    }

    private LeaseTimeToLiveResponse Look(LeaseTimeToLiveRequest request)
    {
        var response = new LeaseTimeToLiveResponse
        {
            Header = Header(_state.Store.Revision),
            ID = request.ID,
            TTL = -1,
        };
        if (_state.Leases.Look(request.ID, _leaseClock) is { } lease)
        {
            (response.TTL, response.GrantedTTL) = (lease.SecondsLeft, lease.Granted);
            if (request.Keys)
            {
                response.Keys.AddRange(lease.Keys);
            }
        }
        return response;
    }

    private StatusResponse Status() => new()
    {
        Header = Header(_state.Store.Revision),
        Version = ProtocolVersion,
        DbSize = _state.Store.SizeBytes,
        DbSizeInUse = _state.Store.SizeBytes,
        Leader = _identity.MemberId,
        RaftTerm = _term,
        RaftIndex = _lastIndex,
        RaftAppliedIndex = _appliedIndex,
    };

    private void Reply(long requestId, Outcome outcome) =>
        _effects.Add(new CoordinatorEffect.Reply(requestId, outcome));

    private ResponseHeader Header(long revision) => _identity.Header(revision, _term);

    private Outcome WithIdentity(Outcome outcome)
    {
        var header = outcome.Response switch
        {
            RangeResponse response => response.Header,
            PutResponse response => response.Header,
            DeleteRangeResponse response => response.Header,
            TxnResponse response => response.Header,
            CompactionResponse response => response.Header,
            LeaseGrantResponse response => response.Header,
            LeaseRevokeResponse response => response.Header,
            _ => null,
        };
        header?.MergeFrom(_identity.Header(0, _term));
        return outcome;
    }
}

/// <summary>Where the recovered log ends.</summary>
internal readonly record struct LogPosition(ulong LastIndex, ulong SnapshotIndex, long BytesSinceSnapshot);
