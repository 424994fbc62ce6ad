using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Simulation.Jobs;

/// <summary>Does to a cluster what its weather says, until it is calm.</summary>
internal sealed class JobFate(JobCluster cluster)
{
    private readonly HashSet<string> _asking = new(StringComparer.Ordinal);

    private World World => cluster.World;

    private Dice Dice => cluster.World.Dice;

    public void Begin()
    {
        var weather = cluster.Weather;
        Every(weather.MasterDeaths, 2_000, 12_000, () =>
        {
            cluster.Masters.LastOrDefault()?.Die();
            World.After(Dice.Between(0, 2_000), ElectIfTroubled);
        });
        Every(weather.StaleMasters, 4_000, 15_000, ElectIfTroubled);
        Every(weather.Cuts, 1_000, 8_000, () => Dice.Pick(cluster.Workers).AnyStream?.Cut());
        Every(weather.Stalls, 3_000, 15_000, () =>
            Dice.Pick(cluster.Workers).AnyStream?.Stall(Dice.Roll(0.5), Dice.Between(500, 14_000)));
        Every(weather.WorkerCrashes, 3_000, 15_000, () =>
        {
            var worker = Dice.Pick(cluster.Workers);
            worker.Crash();
            World.After(Dice.Between(10, 15_000), worker.Boot);
        });
        Every(weather.Restarts, 3_000, 15_000, () => Dice.Pick(cluster.Workers).Leave());
        Every(weather.Drains, 3_000, 15_000, Drain);
        Every(weather.Settings, 200, 6_000, Set);
        Every(weather.StaleMasters, 100, 1_000, () => Dice.Pick(cluster.Users).Look());
        Every(weather.Cancels, 10_000, 40_000, () => Dice.Pick(cluster.Users).Cancel());
        Every(weather.Cancels || weather.FailingTasks, 3_000, 15_000, () => Dice.Pick(cluster.Users).Retry());
    }

    private void ElectIfTroubled()
    {
        if (cluster.IsCalm)
        {
            return;
        }
        cluster.Elect();
        // Those before have not heard of it yet.
        foreach (var stale in cluster.Masters.SkipLast(1).ToList())
        {
            World.After(Dice.Between(0, 3_000), () =>
            {
                if (stale.IsAlive)
                {
                    stale.Die();
                }
            });
        }
    }

    // One word about a node at a time: what was asked first may be heard last.
    private void Drain()
    {
        var worker = Dice.Pick(cluster.Workers);
        if (!_asking.Add(worker.Name))
        {
            return;
        }
        var undo = worker.DrainedAt is not null;
        if (undo)
        {
            worker.DrainedAt = null;
        }
        cluster.Call(
            request => new DrainOrdered(request, new DrainRequest
            {
                NodeId = worker.Name, Undo = undo, HandBackAfterSeconds = 1 + Dice.Below(10),
            }),
            (_, refusal) =>
            {
                _asking.Remove(worker.Name);
                if (refusal is not null || undo)
                {
                    return;
                }
                JobCluster.Require(
                    cluster.Store.Nodes.Any(n => n.NodeId == worker.Name),
                    $"{worker.Name} was said to be drained, and that is not durable (I1)");
                worker.DrainedAt = World.Now;
            });
    }

    private void Set()
    {
        var burst = Dice.Roll(0.03) ? SyncBoard.BufferLimit + 1 : 1 + Dice.Below(3);
        for (var i = 0; i < burst; i++)
        {
            cluster.Store.Set(
                $"/hexcast/rules/{(burst > 3 ? i % 7 : Dice.Below(5))}", Dice.Roll(0.3) ? null : $"{cluster.Number()}");
        }
    }

    private void Every(bool happens, double fromMs, double toMs, Action action)
    {
        if (happens)
        {
            Again();
        }

        void Again() => World.After(Dice.Between(fromMs, toMs), () =>
        {
            if (!cluster.IsCalm)
            {
                action();
                Again();
            }
        });
    }
}
