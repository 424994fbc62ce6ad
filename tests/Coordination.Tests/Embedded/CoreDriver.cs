using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>Drives the pure core with a disk that is always fast, or that waits to be told.</summary>
internal sealed class CoreDriver
{
    private readonly CoordinatorCore _core;
    private readonly Dictionary<long, Outcome> _outcomes = [];
    private long _lastRequestId;
    private ulong _written;
    private ulong _durable;

    public CoreDriver(CoordinatorLimits? limits = null, StateMachine? state = null, ulong term = 1, bool begins = true)
    {
        State = state ?? new StateMachine();
        var id = MemberIdentity.FirstVersionsId("test", "node-1");
        var identity = new MemberIdentity("test", "node-1", id, "127.0.0.1:1");
        var mark = new SnapshotMark(1_000 * (term - 1), term - 1, Hexcast.Raft.Members.Of([id]));
        var recovery = new Recovery(State, new Recovered(new HardState(term - 1, Vote: 0), mark, []));
        _core = new CoordinatorCore(identity, limits ?? new CoordinatorLimits(), seed: 1, recovery, Now);
        DiskIsFast = begins;
        Step(new CoordinatorEvent.Tick());
        if (!begins)
        {
            // Elected, and its first entry waits for the disk.
            Persist();
        }
        _core.IsLeader.ShouldBeTrue();
    }

    public StateMachine State { get; }

    public CoordinatorFigures Figures => _core.Figures;

    public TimeSpan Now { get; private set; }

    /// <summary>While false, entries wait for <see cref="Persist"/>.</summary>
    public bool DiskIsFast { get; set; } = true;

    public List<Command> Log { get; } = [];

    public List<WatchResponse> Watched { get; } = [];

    public List<Snapshot> Snapshots { get; } = [];

    public long Propose(Command command)
    {
        Step(new CoordinatorEvent.Propose(++_lastRequestId, command));
        return _lastRequestId;
    }

    public Outcome? OutcomeOf(long requestId) =>
        _outcomes.TryGetValue(requestId, out var outcome) ? outcome : null;

    public TResponse Do<TResponse>(Command command) where TResponse : class, IMessage
    {
        var outcome = OutcomeOf(Propose(command)).ShouldNotBeNull();
        outcome.Error.ShouldBe(CoordinatorError.None);
        return (TResponse)outcome.Response!;
    }

    public long Put(string key, string value, long lease = 0) => Do<PutResponse>(new Command
    {
        Put = new PutRequest
        {
            Key = ByteString.CopyFromUtf8(key),
            Value = ByteString.CopyFromUtf8(value),
            Lease = lease,
        },
    }).Header.Revision;

    public long Grant(long seconds) => Do<LeaseGrantResponse>(new Command
    {
        LeaseGrant = new LeaseGrantRequest { TTL = seconds },
    }).ID;

    public string? Get(string key) => State.Store.Get(ByteString.CopyFromUtf8(key))?.Value.ToStringUtf8();

    public long KeepAlive(long lease)
    {
        Step(new CoordinatorEvent.KeepAlive(++_lastRequestId, lease));
        return ((LeaseKeepAliveResponse)OutcomeOf(_lastRequestId)!.Value.Response!).TTL;
    }

    public void Watch(long stream, string prefix, long from = 0)
    {
        var key = ByteString.CopyFromUtf8(prefix);
        var end = ByteString.CopyFromUtf8(prefix[..^1] + (char)(prefix[^1] + 1));
        Step(new CoordinatorEvent.WatchAsked(stream, new WatchRequest
        {
            CreateRequest = new WatchCreateRequest { Key = key, RangeEnd = end, StartRevision = from },
        }));
    }

    public void Taken(long stream, int events) => Step(new CoordinatorEvent.WatchTaken(stream, events));

    /// <summary>Time passes in the shell's ticks.</summary>
    public void Advance(TimeSpan time)
    {
        var tick = TimeSpan.FromMilliseconds(100);
        for (var passed = TimeSpan.Zero; passed < time; passed += tick)
        {
            Now += tick;
            Step(new CoordinatorEvent.Tick());
        }
    }

    /// <summary>Time passes, and nothing happens.</summary>
    public void Wait(TimeSpan time) => Now += time;

    /// <summary>The process stands still, then ticks once.</summary>
    public void Stall(TimeSpan time)
    {
        Now += time;
        Step(new CoordinatorEvent.Tick());
    }

    public void Persist()
    {
        _durable = _written;
        Step(new CoordinatorEvent.ForRaft(new RaftEvent.Persisted(_durable)));
    }

    /// <summary>The disk is full: what waits is not written.</summary>
    public void RefuseAppends() => Step(new CoordinatorEvent.ForRaft(new RaftEvent.WriteRefused()));

    private void Step(CoordinatorEvent @event)
    {
        var effects = new List<CoordinatorEffect>();
        _core.Step([@event], Now, effects);
        foreach (var effect in effects)
        {
            Execute(effect);
        }
        if (DiskIsFast && _durable < _written)
        {
            Persist();
        }
    }

    private void Execute(CoordinatorEffect effect)
    {
        switch (effect)
        {
            case CoordinatorEffect.OfRaft { Effect: RaftEffect.Persist persist }:
                _written = persist.Sequence;
                Log.AddRange(persist.Entries.Select(entry => Command.Parser.ParseFrom(entry.Payload.Span)));
                break;
            case CoordinatorEffect.Reply reply:
                _outcomes.Add(reply.RequestId, reply.Outcome);
                break;
            case CoordinatorEffect.SendWatch send:
                Watched.Add(send.Response);
                break;
            case CoordinatorEffect.SaveSnapshot save:
                Snapshots.Add(save.Snapshot);
                Step(new CoordinatorEvent.SnapshotDone(save.Snapshot.Index, Saved: true));
                break;
        }
    }
}
