using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Simulation.Jobs;

/// <summary>Does to workers, streams and whoever orders what their weather says, until it is calm.</summary>
internal sealed class JobFate(JobCluster cluster)
{
    private const double StrokeMs = 900;
    private const double LookMs = 400;

    private readonly HashSet<string> _asking = new(StringComparer.Ordinal);

    private World World => cluster.World;

    private Dice Dice => cluster.World.Dice;

    public void Begin()
    {
        var weather = cluster.Weather;
        new Strokes(World, StrokeMs)
            .If(weather.Cuts, Cut, Cut, Cut)
            .If(weather.Stalls, Stall, Stall)
            .If(weather.WorkerCrashes, Crash, Crash)
            .If(weather.Restarts, Leave, Leave)
            .If(weather.Drains, Drain, Drain)
            .If(weather.Settings, Set, Set, Set)
            .If(weather.Cancels, Cancel)
            .If(weather.Cancels || weather.FailingTasks, Retry, Retry)
            .If(weather.Deletes, Delete)
            .If(weather.ClockJumps, Jump)
            .Begin();
        new Strokes(World, LookMs).If(!weather.IsKind, Look).Begin();
    }

    private void Cut() => Dice.Pick(cluster.Workers).AnyStream?.Cut();

    private void Stall() =>
        Dice.Pick(cluster.Workers).AnyStream?.Stall(Dice.Roll(0.5), Dice.Between(500, 14_000));

    private void Crash()
    {
        var worker = Dice.Pick(cluster.Workers);
        worker.Crash();
        World.After(Dice.Between(10, 15_000), worker.Boot);
    }

    private void Leave() => Dice.Pick(cluster.Workers).Leave();

    private void Look() => Dice.Pick(cluster.Users).Look();

    private void Cancel() => Dice.Pick(cluster.Users).Cancel();

    private void Retry() => Dice.Pick(cluster.Users).Retry();

    private void Delete() => Dice.Pick(cluster.Users).Delete();

    /// <summary>By up to an hour either way, or where there are jobs of one task, by less than these are kept for: they
    /// would be gone, as they should be.</summary>
    private void Jump()
    {
        var most = cluster.Users.Any(user => user.WantsOneTask) ? OneTaskJobs.KeptFor * 0.4 : TimeSpan.FromHours(1);
        var offset = most * (Dice.Below(3) - 1);
        if (Dice.Roll(0.3))
        {
            Dice.Pick(cluster.Workers).ClockOffset = offset;
        }
        else
        {
            Dice.Pick(cluster.Nodes).ClockOffset = offset;
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
        var asked = cluster.Ledger.Revision;
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
                // It may be undone already, by what was asked before and was heard late.
                var key = RecordWrite.NodeKey(worker.Name);
                JobCluster.Require(
                    cluster.Ledger.WasSynced(key, after: asked),
                    $"{worker.Name} was said to be drained, and that is not durable (I1)");
                worker.DrainedAt = cluster.Ledger.Synced.ContainsKey(key) ? World.Now : null;
            });
    }

    private void Set()
    {
        var burst = Dice.Roll(0.03) ? SyncBoard.BufferLimit + 1 : 1 + Dice.Below(3);
        for (var i = 0; i < burst; i++)
        {
            cluster.Set(
                $"/hexcast/rules/{(burst > 3 ? i % 7 : Dice.Below(5))}", Dice.Roll(0.3) ? null : $"{cluster.Number()}");
        }
    }
}
