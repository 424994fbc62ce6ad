using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination;
using Hexcast.Raft;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Simulation.Coordinators;

/// <summary>What else runs in a member's process, and lives and dies with it.</summary>
internal interface IResident
{
    void Begin();

    void End();
}

/// <summary>What a client's stream of watches hears.</summary>
internal interface IWatchTaker
{
    void Take(WatchResponse response);

    void End();
}

/// <summary>
/// The shell around a coordinator's core: a process that runs, stands still, dies and comes back, with the real log on
/// a disk that stays. Two writing threads, and a thread for the core, all in simulated time.
/// </summary>
internal sealed class GroupMember : INode
{
    private readonly Group _group;
    private readonly World _world;
    private readonly double _clockRate;
    private readonly List<CoordinatorEvent> _inbox = [];
    private readonly Dictionary<long, Action<MemberAnswer>> _waiting = [];
    private readonly Dictionary<long, IWatchTaker> _streams = [];
    private readonly List<Action> _held = [];
    private readonly IResident? _resident;
    private CoordinatorCore? _core;
    private SimLane<LogWork>? _logLane;
    private SimLane<SnapshotWork>? _snapshotLane;
    private TimeSpan _bootedAt;
    private TimeSpan _tickAt;
    private ulong _seen;
    private int _life;
    private long _lastRequest;
    private long _lastStream;
    private bool _isAwake;
    private bool _wentBad;

    public GroupMember(Group group, MemberRecord first)
    {
        (_group, _world, Id) = (group, group.World, first.Id);
        Disk = new SimFiles(_world.Dice);
        _clockRate = 1 + group.Sky.ClockSkew * (_world.Dice.Below(1_000) / 1_000.0 - 0.5);
        MemberFile.TrySave(Disk, first);
        _resident = group.House?.Invoke(this);
    }

    public ulong Id { get; }

    public string Name => $"node-{Id}";

    public SimFiles Disk { get; }

    public CoordinatorCore? Core => _core;

    public bool IsUp => _core is not null;

    public ulong? LeadsTerm => _core is { IsLeader: true } core ? core.Term : null;

    public bool IsPaused { get; private set; }

    public (double From, double To) SyncMs { get; set; } = NodeGroup<GroupMember>.FastSync;

    /// <summary>Of its process's clock that does not jump.</summary>
    public TimeSpan LocalNow => TimeSpan.FromTicks((long)((_world.Now - _bootedAt).Ticks * _clockRate));

    public void Boot()
    {
        var record = MemberFile.TryLoad(Disk, out var isDamaged)
            ?? throw new ViolationException($"{Name} has lost its member file (damaged: {isDamaged})");
        var opened = OpenedLog.Open(Disk, record, NullLogger.Instance);
        (_bootedAt, _tickAt, IsPaused) = (_world.Now, TimeSpan.MaxValue, false);
        _group.Damages += opened.UnreadableFrom > 0 ? 1 : 0;
        GroupOracle.Require(
            opened.UnreadableFrom == 0 || _wentBad, $"{Name} takes itself for damaged, and its disk is good");
        var writer = new LogWriter(opened.Log, TimeProvider.System, Post);
        var keeper = new SnapshotKeeper(Disk, Post, writer.Offer, index => _logLane!.Post(new LogWork.Drop(index)));
        _logLane = new SimLane<LogWork>(_world, Duration, () => writer.Wait, writer.Take, Fail);
        _snapshotLane = new SimLane<SnapshotWork>(_world, Duration, () => keeper.Wait, keeper.Take, Fail);
        var identity = new MemberIdentity("sim", Name, Id, Name);
        _core = new CoordinatorCore(identity, _group.Sky.Limits, _world.Dice.Next(), opened.Recovery, LocalNow);
        _seen = _core.AppliedIndex;
        _group.Oracle.IsAt(Id, _seen, _core.State.Store.Revision);
        if (opened.UnreadableFrom > 0)
        {
            Tell($"is damaged: {LogReading.Of(Disk, mustBeThere: true).Recovered.Damage!.Message[..120]}");
            Post(new CoordinatorEvent.ForRaft(new RaftEvent.LogUnreadable(opened.UnreadableFrom)));
        }
        Post(new CoordinatorEvent.Tick());
        _resident?.Begin();
    }

    /// <summary>The power goes; or only the process ends, and what it wrote stays.</summary>
    public void Crash()
    {
        var losesPower = _world.Dice.Roll(0.6);
        Tell(losesPower ? "loses its power" : "is killed");
        (_core, _life, _isAwake) = (null, _life + 1, false);
        foreach (var work in new[] { _logLane!.Die(), _snapshotLane!.Die() })
        {
            if (work is not null)
            {
                Disk.LosePowerWithin(_world.Dice.Below(12), work);
            }
        }
        if (losesPower)
        {
            Disk.LosePower();
        }
        _inbox.Clear();
        _waiting.Clear();
        _held.Clear();
        _resident?.End();
        foreach (var stream in _streams.Values.ToList())
        {
            _world.After(_world.Dice.Between(1, 300), stream.End);
        }
        _streams.Clear();
    }

    /// <summary>Before its next start.</summary>
    public void GoBad()
    {
        Tell("goes bad");
        _wentBad = true;
        Disk.Damage();
    }

    public void Pause() => IsPaused = true;

    public void Resume()
    {
        IsPaused = false;
        Wake();
        List<Action> held = [.. _held];
        _held.Clear();
        held.ForEach(Do);
    }

    /// <summary>In this process: when it runs again, if it stands still.</summary>
    public void Do(Action happens)
    {
        if (IsPaused)
        {
            _held.Add(happens);
        }
        else if (IsUp)
        {
            happens();
        }
    }

    /// <summary>After that much of its own time, unless it dies before.</summary>
    public void After(TimeSpan local, Action happens) => InThisLife(local / _clockRate, () => Do(happens));

    public void Take(RaftEvent happened) => Post(new CoordinatorEvent.ForRaft(happened));

    public void Govern(Func<long, RaftEvent> ask) => Ask(id => new CoordinatorEvent.ForRaft(ask(id)), _ => { });

    public void Ask(Func<long, CoordinatorEvent> ask, Action<MemberAnswer> answered)
    {
        if (IsUp)
        {
            _waiting.Add(++_lastRequest, answered);
            Post(ask(_lastRequest));
        }
    }

    /// <summary>A new stream; 0: there is nobody.</summary>
    public long OpenWatch(IWatchTaker taker)
    {
        if (!IsUp)
        {
            return 0;
        }
        _streams.Add(++_lastStream, taker);
        return _lastStream;
    }

    public void Hear(CoordinatorEvent ofWatch) => Post(ofWatch);

    private void Tell(object what) =>
        _world.Tell?.Invoke($"{_world.Now.TotalMilliseconds,10:0.00}  n{Id} {what}");

    private void Post(CoordinatorEvent happened)
    {
        if (IsUp)
        {
            _inbox.Add(happened);
            Wake();
        }
    }

    private void Wake()
    {
        if (_isAwake || IsPaused || !IsUp)
        {
            return;
        }
        _isAwake = true;
        InThisLife(_world.Dice.Between(0, 0.2), () =>
        {
            _isAwake = false;
            if (!IsPaused)
            {
                Step();
            }
        });
    }

    private void Step()
    {
        var core = _core!;
        var (now, life) = (LocalNow, _life);
        List<CoordinatorEvent> events = [.. _inbox];
        _inbox.Clear();
        if (now >= core.Deadline)
        {
            events.Add(new CoordinatorEvent.Tick());
        }
        var effects = new List<CoordinatorEffect>();
        core.Step(events, now, effects);
        See(core);
        foreach (var happened in events)
        {
            Tell(happened);
        }
        // The process may die between any two of its effects.
        var diesAfter = _group.DiesInStep(events) ? _world.Dice.Below(effects.Count + 1) : int.MaxValue;
        for (var i = 0; i < effects.Count && life == _life; i++)
        {
            if (i == diesAfter)
            {
                _group.CrashFor(this);
                return;
            }
            CarryOut(core, effects[i]);
        }
        if (life == _life)
        {
            ScheduleTick(core);
        }
    }

    private void See(CoordinatorCore core)
    {
        for (; _seen < core.AppliedIndex; _seen++)
        {
            if (core.Raft.Log.FirstIndex <= _seen + 1)
            {
                _group.Oracle.Applies(Id, core.Raft.Log[_seen + 1]);
            }
        }
        _group.Oracle.IsAt(Id, core.AppliedIndex, core.State.Store.Revision);
        _world.Note(core.AppliedIndex << 20 ^ core.Term);
    }

    private void CarryOut(CoordinatorCore core, CoordinatorEffect effect)
    {
        switch (effect)
        {
            case CoordinatorEffect.Reply reply when _waiting.Remove(reply.RequestId, out var answered):
                answered(new MemberAnswer(reply.Outcome));
                break;
            case CoordinatorEffect.Redirect redirect when _waiting.Remove(redirect.RequestId, out var answered):
                answered(new MemberAnswer(default, redirect.Leader));
                break;
            case CoordinatorEffect.Refuse refuse when _waiting.Remove(refuse.RequestId, out var answered):
                answered(new MemberAnswer(default, Refused: refuse.Error));
                break;
            case CoordinatorEffect.SendWatch send when _streams.TryGetValue(send.StreamId, out var taker):
                taker.Take(send.Response.Clone());
                break;
            case CoordinatorEffect.EndWatch end when _streams.Remove(end.StreamId, out var taker):
                _world.After(_world.Dice.Between(0.1, 2), taker.End);
                break;
            case CoordinatorEffect.SaveSnapshot save:
                _group.Snapshots++;
                _snapshotLane!.Post(new SnapshotWork.Save(save.Snapshot));
                break;
            case CoordinatorEffect.MembersChanged changed
                when core.Members.All.All(id => changed.Members.Any(member => member.Id == id)):
                _logLane!.Post(new LogWork.Remember(changed.Members));
                break;
            case CoordinatorEffect.OfRaft raft:
                CarryOut(raft.Effect);
                break;
        }
    }

    private void CarryOut(RaftEffect effect)
    {
        switch (effect)
        {
            case RaftEffect.Send send:
                // Over the wire's own bytes: what these cannot say is not said.
                _group.Lines.Send(Id, send.To, WireMessages.FromWire(WireMessages.ToWire(send.Message))!);
                break;
            case RaftEffect.LeaderChanged { Role: RaftRole.Leader } changed:
                _group.Oracle.Leads(Id, changed.Term);
                break;
            case RaftEffect.Persist persist:
                _logLane!.Post(new LogWork.Write(persist));
                break;
            case RaftEffect.WriteAgain:
                _logLane!.Post(new LogWork.WriteAgain());
                break;
            case RaftEffect.InstallSnapshot install:
                _group.Installs++;
                _logLane!.Post(new LogWork.Install(install.Mark));
                break;
            case RaftEffect.ReadSnapshotChunk read:
                _snapshotLane!.Post(new SnapshotWork.Read(read));
                break;
            case RaftEffect.StoreSnapshotChunk store:
                _snapshotLane!.Post(new SnapshotWork.Store(store));
                break;
        }
    }

    private TimeSpan Duration() => _world.Dice.Between(SyncMs.From, SyncMs.To);

    /// <summary>A failed fsync ends the process.</summary>
    private void Fail(Exception exception)
    {
        Tell($"ends: {exception.Message}");
        _group.CrashFor(this);
    }

    private void InThisLife(TimeSpan delay, Action happens)
    {
        var life = _life;
        _world.After(delay, () =>
        {
            if (life == _life)
            {
                happens();
            }
        });
    }

    private void ScheduleTick(CoordinatorCore core)
    {
        if (core.Deadline >= _tickAt)
        {
            return;
        }
        var at = _tickAt = core.Deadline;
        var wait = TimeSpan.FromTicks((long)((at - LocalNow).Ticks / _clockRate) + 1);
        InThisLife(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, () =>
        {
            if (at == _tickAt)
            {
                _tickAt = TimeSpan.MaxValue;
                Wake();
            }
        });
    }
}
