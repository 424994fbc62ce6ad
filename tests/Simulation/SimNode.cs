using Hexcast.Raft;
using Hexcast.Raft.Tests;

namespace Hexcast.Simulation;

/// <summary>The shell around a core: a process that runs, stops, dies and comes back, on a disk that stays.</summary>
internal sealed class SimNode : INode
{
    private readonly RaftGroup _group;
    private readonly World _world;
    private readonly SnapshotMark _start;
    private readonly Dictionary<ulong, (ulong Term, Action<int> Done)> _proposed = [];
    private readonly Dictionary<long, (Operation Operation, Action<int> Done, Action<ulong> Refused)> _asked = [];
    private readonly Queue<RaftEvent> _stalled = new();
    private readonly double _clockRate;
    private RaftCore? _core;
    private Registers _state = new();
    private TimeSpan _bootedAt;
    private TimeSpan _tickAt;
    private int _life;
    private bool _isSyncing;
    private bool _isSaving;
    private byte[] _incoming = [];
    private long _lastRequest;

    public SimNode(RaftGroup group, ulong id, Members members)
    {
        (_group, _world, Id) = (group, group.World, id);
        _start = SnapshotMark.Start(members);
        Disk = new SimDisk(_start);
        _clockRate = 1 + group.Weather.ClockSkew * (_world.Dice.Below(1_000) / 1_000.0 - 0.5);
        Boot();
    }

    public ulong Id { get; }

    public SimDisk Disk { get; }

    public RaftCore? Core => _core;

    public bool IsPaused { get; private set; }

    public (double From, double To) SyncMs { get; set; } = NodeGroup<SimNode>.FastSync;

    /// <summary>It lost entries, and has not got them back as far as its disk knows.</summary>
    public bool IsHurt { get; private set; }

    public bool IsUp => _core is not null;

    public ulong? LeadsTerm => _core is { Role: RaftRole.Leader } core ? core.Term : null;

    private TimeSpan LocalNow => TimeSpan.FromTicks((long)((_world.Now - _bootedAt).Ticks * _clockRate));

    public void Boot(bool damaged = false)
    {
        if (damaged)
        {
            Disk.Damage(_world.Dice, _start);
        }
        IsHurt = Disk.UnreadableFrom > 0 || Disk.HardState.Recovering;
        var recovered = Disk.Recover();
        _state = Registers.Load(Disk.SnapshotBytes);
        _group.Oracle.IsAt(Id, recovered.Snapshot.Index, recovered.Snapshot.Term, _state);
        (_bootedAt, _tickAt) = (_world.Now, TimeSpan.MaxValue);
        (_isSyncing, _isSaving, IsPaused) = (false, false, false);
        var setup = new RaftSetup(Id, _group.Weather.Options, _world.Dice.Next(), default);
        _core = new RaftCore(setup, recovered, LocalNow);
        Take(Disk.UnreadableFrom > 0 ? new RaftEvent.LogUnreadable(Disk.UnreadableFrom) : RaftEvent.Tick.Now);
    }

    public void Crash()
    {
        (_core, _life) = (null, _life + 1);
        Disk.LosePower(_world.Dice);
        _proposed.Clear();
        _asked.Clear();
        _stalled.Clear();
    }

    public void Pause() => IsPaused = true;

    public void Resume()
    {
        IsPaused = false;
        // Whether the clock or the wire is looked at first is anybody's guess.
        if (_world.Dice.Roll(0.5))
        {
            Take(RaftEvent.Tick.Now);
        }
        while (!IsPaused && _stalled.TryDequeue(out var happened))
        {
            Take(happened);
        }
        ScheduleTick();
    }

    /// <summary>Done with what the register answered; refused, with who may know better, if it never will be; or
    /// neither.</summary>
    public void Ask(Operation operation, Action<int> done, Action<ulong> refused)
    {
        if (!IsUp || IsPaused)
        {
            return;
        }
        var request = ++_lastRequest;
        _asked[request] = (operation, done, refused);
        Take(operation.Kind == OperationKind.Get
            ? new RaftEvent.Read(request)
            : new RaftEvent.Propose(request, operation.Encode()));
    }

    public void Govern(Func<long, RaftEvent> ask) => Take(ask(++_lastRequest));

    public void Take(RaftEvent happened)
    {
        if (_core is not { } core)
        {
            return;
        }
        if (IsPaused)
        {
            _stalled.Enqueue(happened);
            return;
        }
        var effects = new List<RaftEffect>();
        var (life, now) = (_life, LocalNow);
        core.Step(happened, now, effects);
        if (_world.Tell is not null)
        {
            Tell(happened, effects);
        }
        // The process may die between any two of its effects.
        var diesAfter = _group.DiesInStep(this, effects) ? _world.Dice.Below(effects.Count + 1) : int.MaxValue;
        for (var i = 0; i < effects.Count && life == _life; i++)
        {
            if (i == diesAfter)
            {
                _group.CrashFor(this);
                return;
            }
            Execute(core, effects[i]);
        }
        if (life == _life)
        {
            SnapshotIfDue(core);
            StartSync();
            ScheduleTick();
        }
    }

    private void Tell(RaftEvent happened, List<RaftEffect> effects)
    {
        if (happened is not (RaftEvent.Received or RaftEvent.Tick))
        {
            _world.Tell!($"{_world.Now.TotalMilliseconds,10:0.00}  n{Id} {happened}");
        }
        foreach (var said in effects.Select(Words.Of).OfType<string>())
        {
            _world.Tell!($"{_world.Now.TotalMilliseconds,10:0.00}  n{Id} {said}");
        }
    }

    private void Execute(RaftCore core, RaftEffect effect)
    {
        switch (effect)
        {
            case RaftEffect.Persist persist:
                foreach (var entry in persist.Entries)
                {
                    _group.Oracle.Appends(core, entry);
                }
                if (persist.TruncateFrom > 0)
                {
                    Oracle.HasTheMembersOfItsLog(core);
                }
                var sequence = persist.Sequence;
                var hardState = persist.HardState;
                Disk.Write(persist, () =>
                {
                    IsHurt &= hardState is not { Recovering: false };
                    Take(new RaftEvent.Persisted(sequence));
                });
                break;
            case RaftEffect.Send send:
                _group.Lines.Send(Id, send.To, send.Message);
                break;
            case RaftEffect.Apply apply:
                foreach (var entry in apply.Entries)
                {
                    Apply(core, entry);
                }
                break;
            case RaftEffect.LeaderChanged { Role: RaftRole.Leader }:
                _group.Oracle.Leads(core);
                _group.Leads(this);
                break;
            case RaftEffect.Proposed proposed when _asked.Remove(proposed.RequestId, out var asked):
                _proposed[proposed.Index] = (proposed.Term, asked.Done);
                break;
            case RaftEffect.ReadReady ready when _asked.Remove(ready.RequestId, out var asked):
                asked.Done(_state.Read(asked.Operation.Key));
                break;
            case RaftEffect.Refused refused when _asked.Remove(refused.RequestId, out var asked):
                asked.Refused(refused.Leader);
                break;
            case RaftEffect.ReadSnapshotChunk read:
                ReadChunk(read);
                break;
            case RaftEffect.StoreSnapshotChunk store:
                _incoming = [.. _incoming[..(int)Math.Min(store.Offset, _incoming.Length)], .. store.Bytes.Span];
                After(_world.Dice.Between(0.1, 2), new RaftEvent.SnapshotChunkStored(
                    store.Mark.Index, store.Offset + store.Bytes.Length, store.IsLast));
                break;
            case RaftEffect.InstallSnapshot install:
                Install(install.Mark);
                break;
        }
    }

    private void Apply(RaftCore core, Entry entry)
    {
        var result = entry.Kind == EntryKind.Command ? _state.Apply(entry.Payload.Span) : 0;
        _world.Note(entry.Index << 20 ^ entry.Term);
        _group.Oracle.Applies(core, entry, _state, _group.IsDurableAt);
        if (_proposed.Remove(entry.Index, out var proposed) && proposed.Term == entry.Term)
        {
            _group.Acknowledged++;
            proposed.Done(result);
        }
    }

    private void SnapshotIfDue(RaftCore core)
    {
        var every = _group.Weather.SnapshotEvery;
        if (every == 0 || _isSaving || core.Commit < core.Log.Snapshot.Index + (ulong)every)
        {
            return;
        }
        _isSaving = true;
        var mark = core.Log.MarkOf(core.Commit);
        Disk.SaveSnapshot(mark, _state.Save(), replacesLog: false, () =>
        {
            _isSaving = false;
            _group.Snapshots++;
            Take(new RaftEvent.SnapshotSaved(mark.Index));
        });
    }

    private void ReadChunk(RaftEffect.ReadSnapshotChunk read)
    {
        ReadOnlyMemory<byte>? bytes = null;
        var isLast = false;
        if (Disk.Snapshot.Index == read.SnapshotIndex && read.Offset <= Disk.SnapshotBytes.Length)
        {
            var rest = Disk.SnapshotBytes.AsMemory((int)read.Offset);
            bytes = rest[..Math.Min(rest.Length, read.MaximumBytes)];
            isLast = rest.Length <= read.MaximumBytes;
        }
        After(_world.Dice.Between(0.1, 2), new RaftEvent.SnapshotChunkRead(
            read.To, read.SnapshotIndex, read.Offset, bytes, isLast));
    }

    private void Install(SnapshotMark mark)
    {
        var bytes = _incoming;
        Disk.SaveSnapshot(mark, bytes, replacesLog: true, () =>
        {
            _state = Registers.Load(bytes);
            _group.Installs++;
            _group.Oracle.IsAt(Id, mark.Index, mark.Term, _state);
            foreach (var index in _proposed.Keys.Where(index => index <= mark.Index).ToList())
            {
                // Somebody else finished it or replaced it; this node cannot tell.
                _proposed.Remove(index);
            }
            Take(new RaftEvent.SnapshotInstalled(mark.Index));
        });
    }

    /// <summary>One fsync for all that waits; what comes meanwhile waits for the next.</summary>
    private void StartSync()
    {
        if (_isSyncing || !Disk.HasUnsynced)
        {
            return;
        }
        _isSyncing = true;
        var (life, writes) = (_life, Disk.Unsynced);
        _world.After(_world.Dice.Between(SyncMs.From, SyncMs.To), () =>
        {
            if (life == _life)
            {
                _isSyncing = false;
                Disk.Sync(writes);
                StartSync();
            }
        });
    }

    private void After(TimeSpan delay, RaftEvent happened)
    {
        var life = _life;
        _world.After(delay, () =>
        {
            if (life == _life)
            {
                Take(happened);
            }
        });
    }

    private void ScheduleTick()
    {
        if (_core is not { } core || IsPaused || core.Deadline >= _tickAt)
        {
            return;
        }
        _tickAt = core.Deadline;
        var (life, at) = (_life, _tickAt);
        var wait = TimeSpan.FromTicks((long)((at - LocalNow).Ticks / _clockRate) + 1);
        _world.After(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, () =>
        {
            if (life != _life || at != _tickAt)
            {
                return;
            }
            _tickAt = TimeSpan.MaxValue;
            if (_core!.Deadline <= LocalNow)
            {
                Take(RaftEvent.Tick.Now);
            }
            ScheduleTick();
        });
    }
}
