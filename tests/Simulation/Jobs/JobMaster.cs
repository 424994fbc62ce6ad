using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Master;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;

namespace Hexcast.Simulation.Jobs;

/// <summary>One term of a master: the real core, the real log of effects and the real guards, on a slow disk.</summary>
internal sealed class JobMaster(JobCluster cluster, long fence)
{
    private readonly SchedulerCore _core = new(
        new MasterOptions { QueueLimit = 10, StreamMaxAge = cluster.Weather.StreamMaxAge }, fence, $"m{fence}");
    private readonly EffectLog _log = new();
    private readonly RecordTransactions _records = new();
    private readonly Dictionary<long, Action<IMessage?, string?>> _calls = [];
    private readonly Dictionary<long, JobStream> _streams = [];
    private bool _isCommitting;
    private DateTimeOffset? _alarm;
    private TimeSpan _followed;

    public bool IsAlive { get; private set; } = true;

    public long Fence => fence;

    public void Begin() => Feed(cluster.Store.Load(_records, fence));

    public void Ask(Func<long, SchedulerEvent> ask, Action<IMessage?, string?> answered)
    {
        if (IsAlive)
        {
            var request = cluster.Number();
            _calls.Add(request, answered);
            Feed(ask(request));
        }
    }

    public void Open(JobStream stream, WorkerHello hello)
    {
        _streams.Add(stream.Id, stream);
        Feed(new WorkerJoined(stream.Id, hello.Clone()));
    }

    /// <summary>Its watch tells, in order and in its own time.</summary>
    public void Follow(IReadOnlyList<SettingValue> values)
    {
        var at = cluster.World.Now + cluster.World.Dice.Between(0, 200);
        _followed = at > _followed ? at : _followed;
        cluster.World.After(_followed - cluster.World.Now, () => Feed(new SettingsChanged(null, values)));
    }

    public void Feed(SchedulerEvent happened)
    {
        if (IsAlive)
        {
            cluster.World.Tell?.Invoke($"{cluster.World.Now} m{fence} {happened}");
            _log.Add(_core.Step(happened, cluster.Now));
            Pump();
        }
    }

    /// <summary>Its process is gone, or its term is over; what was on its way may still get there.</summary>
    public void Die()
    {
        IsAlive = false;
        cluster.Masters.Remove(this);
        foreach (var stream in _streams.Values.ToList())
        {
            stream.Cut();
        }
    }

    private void Pump()
    {
        while (IsAlive && _log.Next() is { } effect)
        {
            Execute(effect);
        }
        if (!_isCommitting && _log.TakeBatch() is { } batch)
        {
            _isCommitting = true;
            Commit(batch);
        }
        if (_core.NextWake is { } wake && wake != _alarm)
        {
            _alarm = wake;
            cluster.World.After(wake > cluster.Now ? wake - cluster.Now : TimeSpan.Zero, () =>
            {
                if (_alarm == wake)
                {
                    _alarm = null;
                    Feed(new Ticked());
                }
            });
        }
    }

    private void Commit(IReadOnlyList<RecordWrite> batch)
    {
        var request = new TxnRequest();
        request.Compare.AddRange(_records.Guards(fence, batch).Select(guard => guard.Message));
        request.Success.AddRange(RecordTransactions.Operations(batch).Select(operation => operation.Message));
        var dice = cluster.World.Dice;
        var isSlow = !cluster.IsCalm && cluster.Weather.SlowDisk && dice.Roll(0.03);
        if (!cluster.IsCalm && dice.Roll(cluster.Weather.LostCommits))
        {
            // It arrives late or never, and this master is told nothing: its term ends, and another begins.
            if (dice.Roll(0.7))
            {
                cluster.World.After(dice.Between(0, 4_000), () => cluster.Store.Commit(fence, request, batch));
            }
            cluster.World.After(dice.Between(0, 500), () => cluster.RenewTerm(this));
            return;
        }
        cluster.World.After(dice.Between(0.5, isSlow ? 2_000 : 5), () =>
        {
            var revision = cluster.Store.Commit(fence, request, batch);
            cluster.World.After(dice.Between(0, 2), () => Committed(batch, revision));
        });
    }

    private void Committed(IReadOnlyList<RecordWrite> batch, long? revision)
    {
        if (!IsAlive)
        {
            return;
        }
        if (revision is not { } at)
        {
            Die();
            return;
        }
        _records.Written(batch, at);
        _log.Committed();
        _isCommitting = false;
        Pump();
    }

    private void Execute(SchedulerEffect effect)
    {
        switch (effect)
        {
            case Answer answer when _calls.Remove(answer.Request, out var call):
                call(answer.Message, null);
                break;
            case Refuse refuse when _calls.Remove(refuse.Request, out var call):
                call(null, refuse.Code);
                break;
            case Send send when _streams.TryGetValue(send.Session, out var stream):
                stream.ToWorker(send.Message.Clone());
                break;
            case DropWorker drop when _streams.Remove(drop.Session, out var stream):
                stream.EndByMaster();
                break;
            case Sweep sweep:
                SweepFrom(sweep, 0);
                break;
        }
    }

    private void SweepFrom(Sweep sweep, int next) => cluster.World.After(cluster.World.Dice.Between(0, 30), () =>
    {
        if (!IsAlive)
        {
            return;
        }
        if (next == sweep.Prefixes.Count)
        {
            Feed(new Swept(sweep.JobId));
            return;
        }
        cluster.Remove(sweep.Prefixes[next]);
        SweepFrom(sweep, next + 1);
    });
}
