using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Tests.Simulation;

/// <summary>The core, the production effect log, and a slow disk.</summary>
internal sealed class SimMaster(World world, long fence)
{
    private const int StepsBetweenCounts = 16;

    private readonly SchedulerCore core = new(new MasterOptions { QueueLimit = 8 }, fence);
    private readonly EffectLog log = new();
    private readonly Dictionary<long, Action<IMessage?, string?>> calls = [];
    private readonly Dictionary<long, SimStream> streams = [];
    private readonly Dictionary<long, SimWatcher> watchers = [];
    private bool committing;
    private int steps;
    private DateTimeOffset? alarm;

    public bool Alive { get; private set; } = true;

    public long Fence => fence;

    public SchedulerCore Core => core;

    public void Begin(Loaded loaded) => Feed(loaded);

    public void Ask(Func<long, SchedulerEvent> ask, Action<IMessage?, string?> answered)
    {
        if (!Alive)
        {
            return;
        }

        var request = world.Number();
        calls.Add(request, answered);
        Feed(ask(request));
    }

    public void Open(SimStream stream, WorkerHello hello)
    {
        streams.Add(stream.Session, stream);
        Feed(new WorkerJoined(stream.Session, hello));
    }

    public void Watch(SimWatcher watcher, WatchJobRequest request)
    {
        watcher.Subscription = world.Number();
        watchers.Add(watcher.Subscription, watcher);
        Feed(new WatchOpened(watcher.Subscription, request));
    }

    public void Unwatch(SimWatcher watcher)
    {
        if (watchers.Remove(watcher.Subscription))
        {
            Feed(new WatchClosed(watcher.Subscription));
        }
    }

    public void Feed(SchedulerEvent happened)
    {
        if (!Alive)
        {
            return;
        }

        log.Add(core.Step(happened, world.Now));
        if (++steps % StepsBetweenCounts == 0)
        {
            CheckCounts(core.State);
        }

        Pump();
    }

    /// <summary>What is counted as it changes is what somebody finds who counts it all.</summary>
    private static void CheckCounts(SchedulerState state)
    {
        foreach (var (name, lane) in Dispatcher.AllClasses.Select((name, lane) => (name, lane)))
        {
            var ready = state.Jobs.Values.SelectMany(j => j.Ready).Where(t => Dispatcher.Lane(t) == lane).ToList();
            state.Counts.Ready(lane).ShouldBe(ready.Count, name);
            state.Counts.WaitsSince(lane).ShouldBe(ready.Min(t => (DateTimeOffset?)t.ReadySince), name);
            state.Counts.Running(lane).ShouldBe(
                state.Jobs.Values.Sum(j => j.Tasks.Count(t => t.Current > 0 && Dispatcher.Lane(t) == lane)), name);
            state.Counts.Jobs(lane).ShouldBe(
                state.Unfinished.Values.Count(j => Dispatcher.LaneOf(j) == lane), name);
        }

        foreach (var job in state.Jobs.Values)
        {
            (job.Running, job.Retrying, job.Tasks.Count - job.Uncommitted).ShouldBe((
                job.Tasks.Count(t => t.Current > 0), job.Tasks.Count(t => t.RetryAt is not null),
                job.Tasks.Count(t => t.Committed)));
        }
    }

    /// <summary>The process is gone; what was on its way to the disk may still get there.</summary>
    public void Die()
    {
        Alive = false;
        world.Masters.Remove(this);
        foreach (var stream in streams.Values.ToList())
        {
            stream.BreakForWorker();
        }

        foreach (var watcher in watchers.Values.ToList())
        {
            world.After(world.Between(0, 100), watcher.Reopen);
        }
    }

    private void Pump()
    {
        while (log.Next() is { } effect)
        {
            Execute(effect);
        }

        if (!committing && log.TakeBatch() is { } batch)
        {
            committing = true;
            var slow = world.Chaos && world.Roll(0.02);
            world.After(world.Between(0.5, slow ? 2_000 : 5), () =>
            {
                var durable = world.Commit(fence, batch);
                world.After(world.Between(0, 2), () => Committed(durable));
            });
        }

        if (core.NextWake is { } wake && wake != alarm)
        {
            alarm = wake;
            world.After(wake > world.Now ? wake - world.Now : TimeSpan.Zero, () =>
            {
                if (alarm == wake)
                {
                    alarm = null;
                    Feed(new Ticked());
                }
            });
        }
    }

    private void Committed(bool durable)
    {
        if (!Alive)
        {
            return;
        }

        if (!durable)
        {
            Die();
            return;
        }

        log.Committed();
        committing = false;
        Pump();
    }

    private void Execute(SchedulerEffect effect)
    {
        switch (effect)
        {
            case Answer answer when calls.Remove(answer.Request, out var call):
                call(answer.Message, null);
                break;
            case Refuse refuse when calls.Remove(refuse.Request, out var call):
                call(null, refuse.Code);
                break;
            case Send send when streams.TryGetValue(send.Session, out var stream):
                stream.ToWorker(send.Message.Clone());
                break;
            case DropWorker drop when streams.Remove(drop.Session, out var stream):
                stream.BreakForWorker();
                break;
            case Feed feed when watchers.TryGetValue(feed.Subscription, out var watcher):
                watcher.Take(feed.Events);
                break;
            case EndFeed end when watchers.Remove(end.Subscription, out var watcher):
                watcher.End();
                break;
            case Sweep sweep:
                SweepFrom(sweep, 0);
                break;
        }
    }

    private void SweepFrom(Sweep sweep, int next) => world.After(world.Between(0, 30), () =>
    {
        if (!Alive)
        {
            return;
        }

        if (next == sweep.Prefixes.Count)
        {
            Feed(new Swept(sweep.JobId));
            return;
        }

        world.Objects.Remove(sweep.Prefixes[next]);
        SweepFrom(sweep, next + 1);
    });
}

/// <summary>One StreamHeartbeat call: in order both ways, and each end learns at its own time that it broke.</summary>
internal sealed class SimStream(World world, SimMaster master, SimWorker worker)
{
    private DateTimeOffset lastUp;
    private DateTimeOffset lastDown;
    private bool broken;

    public long Session { get; } = world.Number();

    public void ToMaster(Action<SimMaster> deliver)
    {
        lastUp = Later(lastUp);
        world.After(lastUp - world.Now, () =>
        {
            if (!broken)
            {
                deliver(master);
            }
        });
    }

    public void ToWorker(MasterMessage message)
    {
        lastDown = Later(lastDown);
        world.After(lastDown - world.Now, () =>
        {
            if (!broken)
            {
                worker.Receive(this, message);
            }
        });
    }

    /// <summary>The network cuts it; sometimes the master does not notice at all.</summary>
    public void Cut()
    {
        broken = true;
        world.After(world.Between(0, 100), () => worker.StreamEnded(this));
        if (!world.Roll(0.3))
        {
            world.After(world.Between(0, 500), () => master.Feed(new WorkerLeft(Session)));
        }
    }

    public void BreakForWorker()
    {
        broken = true;
        world.After(world.Between(0, 100), () => worker.StreamEnded(this));
    }

    private DateTimeOffset Later(DateTimeOffset last)
    {
        var at = world.Now + world.Between(0, 20);
        return at > last ? at : last;
    }
}
