using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Simulation.Jobs;

/// <summary>One StreamHeartbeat call: in order both ways, and each end learns in its own time that it broke.</summary>
internal sealed class JobStream(JobCluster cluster, JobNode node, JobWorker worker, int session)
{
    private TimeSpan _lastUp;
    private TimeSpan _lastDown;
    private bool _isBroken;
    private JobMaster? _master;

    /// <summary>The worker's number; <see cref="Id"/> is the master's.</summary>
    public int Session => session;

    public long Id { get; } = cluster.Number();

    public void ToMaster(WorkerMessage message)
    {
        _lastUp = Later(_lastUp);
        cluster.World.After(_lastUp - cluster.World.Now, () =>
        {
            if (!node.Member.IsUp)
            {
                Break(tellsMaster: false);
            }
            node.Member.Do(() => Heard(message));
        });
    }

    public void ToWorker(MasterMessage message)
    {
        _lastDown = Later(_lastDown);
        cluster.World.After(_lastDown - cluster.World.Now, () =>
        {
            if (!_isBroken)
            {
                worker.Receive(this, message);
            }
        });
    }

    /// <summary>The master has ended it: what it has sent before still arrives.</summary>
    public void EndByMaster()
    {
        _lastDown = Later(_lastDown);
        cluster.World.After(_lastDown - cluster.World.Now, () => Break(tellsMaster: false));
    }

    public void EndByWorker() => Break(tellsMaster: true);

    /// <summary>The network cuts it; sometimes the master does not notice at all.</summary>
    public void Cut() => Break(tellsMaster: !cluster.World.Dice.Roll(0.3));

    /// <summary>Nothing goes through one way for so long; nothing is lost.</summary>
    public void Stall(bool up, TimeSpan time)
    {
        if (up)
        {
            _lastUp = cluster.World.Now + time;
        }
        else
        {
            _lastDown = cluster.World.Now + time;
        }
    }

    private void Heard(WorkerMessage message)
    {
        if (_isBroken || (_master ?? node.Term) is not { IsAlive: true } master)
        {
            Break(tellsMaster: false);
        }
        else if (message.Hello is { } hello)
        {
            _master = master;
            master.Open(this, hello);
        }
        else
        {
            _master?.Feed(new WorkerHeard(Id, message.Heartbeat));
        }
    }

    private void Break(bool tellsMaster)
    {
        if (_isBroken)
        {
            return;
        }
        _isBroken = true;
        var dice = cluster.World.Dice;
        cluster.World.After(dice.Between(0, 100), () => worker.Lose(this));
        if (tellsMaster)
        {
            cluster.World.After(
                dice.Between(0, 300), () => node.Member.Do(() => _master?.Feed(new WorkerLeft(Id))));
        }
    }

    private TimeSpan Later(TimeSpan last)
    {
        var at = cluster.World.Now + cluster.World.Dice.Between(0.1, 20);
        return at > last ? at : last;
    }
}
