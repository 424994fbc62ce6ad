using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Master;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;
using Hexcast.Simulation.Coordinators;

namespace Hexcast.Simulation.Jobs;

/// <summary>One term of a master on its node's coordinator: the real core, log of effects and guards, executed here as
/// SchedulerTerm and CoordinatorJobStore do it.</summary>
internal sealed class JobMaster(JobCluster cluster, JobNode node, long fence)
{
    private const int MostWrites = 100;
    private const int StepsBetweenCounts = 16;

    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(10);

    private readonly SchedulerCore _core = new(
        new MasterOptions { QueueLimit = 10, StreamMaxAge = cluster.Weather.StreamMaxAge }, fence, node.Member.Name);
    private readonly EffectLog _log = new();
    private readonly RecordTransactions _records = new();
    private readonly Dictionary<long, Action<IMessage?, string?>> _calls = [];
    private readonly Dictionary<long, JobStream> _streams = [];
    private readonly Dictionary<long, JobFollower> _followers = [];
    private readonly List<GroupWatcher> _watchers = [];
    private readonly DateTimeOffset _startedAt = cluster.Now + node.ClockOffset;
    private readonly TimeSpan _started = node.Member.LocalNow;
    private readonly List<SchedulerEvent> _early = [];
    private bool _isCommitting;
    private long _term;
    private DateTimeOffset? _alarm;
    private int _steps;

    public bool IsAlive { get; private set; } = true;

    /// <summary>It acts; what came before waits until then.</summary>
    public bool IsLoaded { get; private set; }

    private DateTimeOffset Now => _startedAt + (node.Member.LocalNow - _started);

    /// <summary>As its store does: its own key first, then all that is there, then what changes.</summary>
    public void Begin()
    {
        var begin = new TxnRequest();
        begin.Compare.AddRange(RecordTransactions.BeginGuards(fence).Select(guard => guard.Message));
        begin.Success.AddRange(RecordTransactions.Begin(fence).Select(operation => operation.Message));
        Transact(begin, begun =>
        {
            if (!begun.Succeeded)
            {
                Over();
                return;
            }
            _term = begun.Header.Revision;
            _records.Begun(_term);
            Read(
                [RecordWrite.Prefix, RecordWrite.NodePrefix, .. JobLedger.Followed], [],
                Load);
        });
    }

    public void Ask(Func<long, SchedulerEvent> ask, Action<IMessage?, string?> answered)
    {
        var request = cluster.Number();
        _calls.Add(request, answered);
        Feed(ask(request));
    }

    public void Open(JobStream stream, WorkerHello hello)
    {
        _streams.Add(stream.Id, stream);
        Feed(new WorkerJoined(stream.Id, hello.Clone()));
    }

    public long Watch(JobFollower follower, WatchJobRequest request)
    {
        var subscription = cluster.Number();
        _followers.Add(subscription, follower);
        Feed(new WatchOpened(subscription, request));
        return subscription;
    }

    public void Unwatch(long subscription)
    {
        if (_followers.Remove(subscription))
        {
            Feed(new WatchClosed(subscription));
        }
    }

    /// <summary>The events of a job behind a cursor, as a new reader gets them.</summary>
    public IReadOnlyList<JobEvent> History(string jobId, int after) =>
        [.. _core.Step(
                new WatchOpened(cluster.Number(), new WatchJobRequest { JobId = jobId, AfterRevision = after }), Now)
            .OfType<Feed>().SelectMany(feed => feed.Events).Where(e => e.Revision > 0)];

    public void Feed(SchedulerEvent happened)
    {
        IsLoaded |= happened is Loaded;
        if (!IsLoaded)
        {
            _early.Add(happened);
        }
        if (!IsAlive || !IsLoaded)
        {
            return;
        }
        cluster.World.Tell?.Invoke($"{cluster.World.Now} m{fence} {happened}");
        _log.Add(_core.Step(happened, Now));
        if (++_steps % StepsBetweenCounts == 0)
        {
            CheckCounts(_core.State);
        }
        Pump();
    }

    /// <summary>Its process is gone, or its term is over; what was on its way may still get there.</summary>
    public void End()
    {
        IsAlive = false;
        _watchers.ForEach(watcher => watcher.Stop());
        foreach (var stream in _streams.Values.ToList())
        {
            stream.Cut();
        }
        foreach (var follower in _followers.Values)
        {
            cluster.World.After(cluster.World.Dice.Between(0, 100), follower.Reopen);
        }
        foreach (var call in _calls.Values)
        {
            cluster.World.After(TimeSpan.Zero, () => call(null, JobCluster.Unavailable));
        }
    }

    /// <summary>It cannot go on: what it has written is not known, or somebody else has.</summary>
    private void Over()
    {
        if (IsAlive)
        {
            End();
            node.Over(this);
        }
    }

    private void Load(IReadOnlyList<RangeResponse> read)
    {
        foreach (var record in read[0].Kvs.Concat(read[1].Kvs))
        {
            _records.Read(record.Key.ToStringUtf8(), record.ModRevision);
        }
        var isTask = read[0].Kvs.ToLookup(kv => kv.Key.Span[RecordWrite.Prefix.Length..].Contains((byte)'/'));
        Feed(new Loaded(
            [.. isTask[false].Select(kv => JobRecord.Parser.ParseFrom(kv.Value))],
            [.. isTask[true].Select(kv => TaskRecord.Parser.ParseFrom(kv.Value))])
        {
            TermRevision = _term,
            Nodes = [.. read[1].Kvs.Select(kv => NodeRecord.Parser.ParseFrom(kv.Value))],
            Settings = [.. read.Skip(2).SelectMany(range => range.Kvs).Select(Setting)],
        });
        _early.ForEach(Feed);
        foreach (var (prefix, range) in JobLedger.Followed.Zip(read.Skip(2)))
        {
            _watchers.Add(GroupWatcher.Below(
                cluster.Group, prefix, range.Header.Revision, () => node.Member,
                all => Follow(new SettingsChanged(prefix, [.. all.Select(Setting)])),
                change => Follow(new SettingsChanged(null, [
                    change.Type == Event.Types.EventType.Put
                        ? Setting(change.Kv)
                        : new SettingValue(change.Kv.Key.ToStringUtf8(), null)]))));
        }
    }

    private static SettingValue Setting(KeyValue kv) => new(kv.Key.ToStringUtf8(), kv.Value);

    private void Follow(SettingsChanged changed) => node.Member.Do(() => Feed(changed));

    private void Pump()
    {
        while (IsAlive && _log.Next() is { } effect)
        {
            Execute(effect);
        }
        if (IsAlive && !_isCommitting && _log.TakeBatch() is { } batch)
        {
            _isCommitting = true;
            Commit(batch);
        }
        if (_core.NextWake is { } wake && wake != _alarm)
        {
            _alarm = wake;
            node.Member.After(wake > Now ? wake - Now : TimeSpan.Zero, () =>
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
        JobCluster.Require(batch.Count <= MostWrites, $"{batch.Count} writes at once");
        var request = new TxnRequest();
        request.Compare.AddRange(_records.Guards(fence, batch).Select(guard => guard.Message));
        request.Success.AddRange(RecordTransactions.Operations(batch).Select(operation => operation.Message));
        Transact(request, response =>
        {
            if (!response.Succeeded)
            {
                Over();
                return;
            }
            _records.Written(batch, response.Header.Revision);
            _log.Committed();
            _isCommitting = false;
            Pump();
        });
    }

    private void Read(IEnumerable<string> prefixes, List<RangeResponse> read, Action<IReadOnlyList<RangeResponse>> done)
    {
        if (prefixes.FirstOrDefault() is not { } prefix)
        {
            done(read);
            return;
        }
        var (key, end) = KeyBytes.Prefix(prefix);
        Call<RangeResponse>(
            answered => cluster.Group.Read(node.Member, new RangeRequest { Key = key, RangeEnd = end }, answered),
            range => Read(prefixes.Skip(1), [.. read, range], done));
    }

    /// <summary>One that can only read needs no entry in the log.</summary>
    private void Transact(TxnRequest request, Action<TxnResponse> done) => Call(
        answered =>
        {
            if (request.Success.Count == 0)
            {
                cluster.Group.Read(node.Member, request, answered);
                return;
            }
            var command = new Command { Txn = request };
            cluster.Ledger.Sent(command, fence, _term);
            cluster.Group.Propose(node.Member, command, answered);
        },
        done);

    /// <summary>Without an answer the term is over.</summary>
    private void Call<T>(Action<Action<IMessage?>> ask, Action<T> done) where T : class, IMessage
    {
        var isOver = false;
        ask(response => node.Member.Do(() => Answered(response as T)));
        node.Member.After(CallTime, () => Answered(null));

        void Answered(T? response)
        {
            if (isOver || !IsAlive)
            {
                return;
            }
            isOver = true;
            if (response is null)
            {
                Over();
            }
            else
            {
                done(response);
            }
        }
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
            case Feed feed when _followers.TryGetValue(feed.Subscription, out var follower):
                follower.Take(feed.Subscription, feed.Events);
                break;
            case EndFeed end when _followers.Remove(end.Subscription, out var follower):
                follower.End(end.Subscription);
                break;
            case Sweep sweep:
                SweepFrom(sweep, 0);
                break;
        }
    }

    private void SweepFrom(Sweep sweep, int next) => node.Member.After(cluster.World.Dice.Between(0, 30), () =>
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

    /// <summary>What is counted as it changes is what somebody finds who counts it all.</summary>
    private static void CheckCounts(SchedulerState state)
    {
        foreach (var lane in Enumerable.Range(0, Dispatcher.AllClasses.Count))
        {
            var ready = state.Jobs.Values.SelectMany(j => j.Ready).Where(t => Dispatcher.Lane(t) == lane).ToList();
            var running = state.Jobs.Values.Sum(j => j.Tasks.Count(t => t.Current > 0 && Dispatcher.Lane(t) == lane));
            var jobs = state.Unfinished.Values.Count(j => Dispatcher.LaneOf(j) == lane);
            JobCluster.Require(
                (state.Counts.Ready(lane), state.Counts.Running(lane), state.Counts.Jobs(lane))
                    == (ready.Count, running, jobs)
                    && state.Counts.WaitsSince(lane) == ready.Min(t => (DateTimeOffset?)t.ReadySince),
                $"lane {lane} is counted wrongly");
        }
        foreach (var job in state.Jobs.Values)
        {
            JobCluster.Require(
                (job.Running, job.Retrying, job.Tasks.Count - job.Uncommitted) == (
                    job.Tasks.Count(t => t.Current > 0), job.Tasks.Count(t => t.RetryAt is not null),
                    job.Tasks.Count(t => t.Committed)),
                $"the tasks of {job.Id} are counted wrongly");
        }
    }
}
