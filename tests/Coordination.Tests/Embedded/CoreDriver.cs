using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>Drives the pure core with a disk that is always fast, or that waits to be told.</summary>
internal sealed class CoreDriver
{
    private readonly CoordinatorCore _core;
    private readonly Dictionary<long, Outcome> _outcomes = [];
    private long _lastRequestId;
    private ulong _appended;

    public CoreDriver(CoordinatorLimits? limits = null, StateMachine? state = null, ulong term = 1)
    {
        State = state ?? new StateMachine();
        var identity = new MemberIdentity("test", "node-1");
        _core = new CoordinatorCore(State, identity, limits ?? new CoordinatorLimits(), term, default);
        var effects = new List<CoordinatorEffect>();
        _core.Lead(Now, effects);
        Execute(effects);
    }

    public StateMachine State { get; }

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

    /// <summary>The process stands still, then ticks once.</summary>
    public void Stall(TimeSpan time)
    {
        Now += time;
        Step(new CoordinatorEvent.Tick());
    }

    public void Persist()
    {
        var effects = new List<CoordinatorEffect>();
        _core.Step(new CoordinatorEvent.Persisted(_appended), Now, effects);
        Execute(effects);
    }

    /// <summary>The disk is full: what waits is not written.</summary>
    public void RefuseAppends()
    {
        _appended = _core.AppliedIndex;
        Step(new CoordinatorEvent.AppendRefused(_appended));
    }

    private void Step(CoordinatorEvent @event)
    {
        var effects = new List<CoordinatorEffect>();
        _core.Step(@event, Now, effects);
        Execute(effects);
    }

    private void Execute(List<CoordinatorEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case CoordinatorEffect.Append append:
                    append.Entry.Index.ShouldBe(_appended + 1);
                    _appended = append.Entry.Index;
                    Log.Add(append.Entry.Command);
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
        if (DiskIsFast && _appended > _core.AppliedIndex)
        {
            Persist();
        }
    }
}
