using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Worker;
using Hexcast.Worker.Attempts;
using AttemptKey = Hexcast.Worker.AttemptKey;

namespace Hexcast.Simulation.Jobs;

/// <summary>A worker node: the real core, executed here as WorkerLoop and MasterLink do it; that takes its time, and
/// dies with it.</summary>
internal sealed class JobWorker(JobCluster cluster, string name, int slots)
{
    private readonly Dictionary<int, JobStream> _streams = [];
    private readonly Dictionary<AttemptKey, TaskAssignment> _runs = [];
    private WorkerCore? _core;
    private JobDirectory? _directory;
    private int _life;
    private TimeSpan _clockOffset;

    public string Name => name;

    /// <summary>It never comes back.</summary>
    public bool IsGone { get; set; }

    /// <summary>Whoever sets the node's clock moves it for the next start: a process reads it once.</summary>
    public TimeSpan ClockOffset { get; set; }

    public bool IsIdle => _runs.Count == 0;

    /// <summary>When a person was told that it is drained; null: it is not.</summary>
    public TimeSpan? DrainedAt { get; set; }

    public WorkerCore? Core => _core;

    public JobStream? AnyStream => _streams.Values.LastOrDefault();

    public void Boot()
    {
        if (_core is null && !IsGone)
        {
            _life++;
            _clockOffset = ClockOffset;
            _core = new WorkerCore(new WorkerProfile(name, slots, new NodeLabels { Codecs = { "aac", "h264" } }));
            _directory = new JobDirectory(cluster.Group);
            Feed(new WorkerEvent.Started());
            Beat(_life);
        }
    }

    /// <summary>kill -9: attempts are gone, what they wrote is not.</summary>
    public void Crash()
    {
        _life++;
        _core = null;
        _directory?.Close();
        _runs.Clear();
        foreach (var stream in _streams.Values.ToList())
        {
            stream.Cut();
        }
        _streams.Clear();
    }

    /// <summary>SIGTERM: some time to finish, then to hand back, then it ends.</summary>
    public void Leave()
    {
        if (_core is null)
        {
            return;
        }
        var life = _life;
        Feed(new WorkerEvent.Leave());
        In(life, TimeSpan.FromSeconds(4), () => Feed(new WorkerEvent.LeaveNow()));
        In(life, TimeSpan.FromSeconds(7), Exit);
    }

    public void Receive(JobStream from, MasterMessage message)
    {
        if (!_streams.ContainsValue(from))
        {
            return;
        }
        if (message.Assign is not null && DrainedAt is { } since && cluster.World.Now - since > JobCluster.Grace)
        {
            throw new ViolationException($"{name} is drained and was given {message.Assign.Attempt}");
        }
        Feed(new WorkerEvent.Received(from.Session, message));
    }

    public void Lose(JobStream stream)
    {
        if (_streams.TryGetValue(stream.Session, out var known) && known == stream)
        {
            _streams.Remove(stream.Session);
            Feed(new WorkerEvent.StreamLost(stream.Session));
        }
    }

    private void Exit()
    {
        foreach (var run in _runs.Values)
        {
            cluster.Remove(Prefix(run));
        }
        Crash();
        cluster.World.After(cluster.World.Dice.Between(10, 5_000), Boot);
    }

    private void Feed(WorkerEvent happened)
    {
        if (_core is null)
        {
            return;
        }
        cluster.World.Tell?.Invoke($"{cluster.World.Now} {name} {happened}");
        foreach (var effect in _core.Step(happened, cluster.Now + _clockOffset))
        {
            Execute(effect);
        }
    }

    private void In(int life, TimeSpan delay, Action happens) => cluster.World.After(delay, () =>
    {
        if (life == _life)
        {
            happens();
        }
    });

    private void Beat(int life) => In(life, cluster.World.Dice.Between(2_900, 3_100), () =>
    {
        Feed(new WorkerEvent.Tick(new NodeLoad(0.5, 8L << 30, 16L << 30, 100L << 30)));
        Beat(life);
    });

    private void Execute(WorkerEffect effect)
    {
        var (dice, life) = (cluster.World.Dice, _life);
        switch (effect)
        {
            case WorkerEffect.OpenStream open:
                In(life, Backoff(open.Failures), () => Open(open.Session));
                break;
            case WorkerEffect.CloseStream close when _streams.TryGetValue(close.Session, out var stream):
                stream.EndByWorker();
                break;
            case WorkerEffect.Send send when _streams.TryGetValue(send.Session, out var stream):
                stream.ToMaster(send.Message.Clone());
                break;
            case WorkerEffect.Start start:
                Start(start.Task);
                break;
            case WorkerEffect.Stop stop:
                In(life, dice.Between(1, 300), () => End(stop.Attempt, null));
                break;
            case WorkerEffect.Report report:
                In(life, Backoff(report.Failures), () => Report(report.Request));
                break;
            case WorkerEffect.Remove remove:
                In(life, dice.Between(0, 50), () =>
                {
                    cluster.Remove(remove.Prefix);
                    Feed(new WorkerEvent.Removed(remove.Attempt));
                });
                break;
            case WorkerEffect.Left:
                In(life, TimeSpan.Zero, Exit);
                break;
        }
    }

    private void Open(int session)
    {
        if (cluster.Guess(_directory!) is not { Member.IsUp: true } node)
        {
            In(_life, cluster.World.Dice.Between(1, 50), () => Feed(new WorkerEvent.StreamLost(session)));
            return;
        }
        _streams[session] = new JobStream(cluster, node, this, session);
        Feed(new WorkerEvent.StreamOpened(session));
    }

    private void Start(TaskAssignment task)
    {
        var key = AttemptKey.Of(task.Attempt);
        JobCluster.Require(_runs.TryAdd(key, task), $"{name} runs {key} twice");
        JobCluster.Require(_runs.Count <= slots, $"{name} was given more than its {slots} slots");
        cluster.Write(Prefix(task));
        var dice = cluster.World.Dice;
        In(_life, dice.Between(10, dice.Roll(0.05) ? 15_000 : 2_000), () =>
        {
            var fails = !cluster.World.IsCalm && cluster.Weather.FailingTasks && dice.Roll(0.1);
            End(key, fails
                ? AttemptOutcome.Failed("tool_failed", "", permanent: dice.Roll(0.1))
                : AttemptOutcome.Committed(JobUser.CommitOf(task, Prefix(task))));
        });
    }

    // Null: it was stopped.
    private void End(AttemptKey key, AttemptOutcome? outcome)
    {
        if (!_runs.Remove(key, out var task))
        {
            return;
        }
        if (outcome?.Commit is null)
        {
            cluster.RemoveOf(key.JobId, key.TaskId, key.Attempt, Prefix(task));
        }
        Feed(new WorkerEvent.Ended(key, outcome ?? AttemptOutcome.Failed(FailureCodes.Cancelled, "")));
    }

    private void Report(ReportStatusRequest request)
    {
        var (life, key) = (_life, AttemptKey.Of(request.Attempt));
        var sent = request.Clone();
        cluster.Try(_directory!, number => new AttemptReported(number, sent.Clone()), (message, refusal) =>
        {
            if (life != _life)
            {
                return;
            }
            if (message is not ReportStatusResponse answer)
            {
                Feed(new WorkerEvent.ReportFailed(key));
                return;
            }
            if (answer.Verdict == ReportStatusResponse.Types.Verdict.Accepted && sent.Commit is not null)
            {
                JobCluster.Require(
                    cluster.Ledger.IsCommitted(key.JobId, key.TaskId, key.Attempt)
                        || cluster.Ledger.Find(key.JobId) is null,
                    $"{key} was accepted and is not durable (I1)");
            }
            Feed(new WorkerEvent.Answered(key, answer.Verdict));
        });
    }

    private TimeSpan Backoff(int failures) => failures == 0
        ? TimeSpan.Zero
        : cluster.World.Dice.Between(0.5, 1) * Math.Min(5_000, 100 * Math.Pow(2, Math.Min(failures - 1, 10)));

    private static string Prefix(TaskAssignment task) => task.Prefix();
}
