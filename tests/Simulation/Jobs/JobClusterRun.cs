using System.Globalization;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Simulation.Jobs;

/// <summary>What a run went through.</summary>
internal sealed record JobJourney(
    ulong Digest, long Events, int Writes, int Elections, int Attempts, TimeSpan Simulated);

/// <summary>What many runs went through, together.</summary>
internal sealed class JobSums
{
    private long _events;
    private long _writes;
    private long _elections;
    private long _attempts;
    private double _simulatedSeconds;

    public string Covered => string.Create(CultureInfo.InvariantCulture,
        $"{_simulatedSeconds:0} s simulated, {_events} events, {_writes} transactions, {_elections} masters, " +
        $"{_attempts} attempts");

    public void Add(JobJourney journey)
    {
        _events += journey.Events;
        _writes += journey.Writes;
        _elections += journey.Elections;
        _attempts += journey.Attempts;
        _simulatedSeconds += journey.Simulated.TotalSeconds;
    }
}

/// <summary>One seed: masters and workers in their weather, then calm, then the reckoning.</summary>
internal static class JobClusterRun
{
    private static readonly TimeSpan HealingLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LateWords = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(60);

    /// <exception cref="ViolationException">With what went wrong.</exception>
    public static JobJourney Of(ulong seed, Action<string>? tell = null)
    {
        var world = new World(seed) { Tell = tell };
        var cluster = new JobCluster(world, JobWeather.Of(world.Dice));
        tell?.Invoke(cluster.Weather.ToString());
        cluster.Elect();
        foreach (var worker in cluster.Workers)
        {
            world.After(world.Dice.Between(0, 2_000), worker.Boot);
        }
        foreach (var user in cluster.Users)
        {
            world.After(world.Dice.Between(0, 20_000), user.Order);
        }
        new JobFate(cluster).Begin();
        world.RunUntil(cluster.Weather.Trouble);
        Heal(cluster);
        Until(cluster, "ended", user => user.State is JobState.Done or JobState.Failed or JobState.Cancelled);
        // Twice: a cancellation from before may still be on its way.
        Retry(cluster);
        world.After(LateWords, () => Retry(cluster));
        Until(cluster, "done", user => user.State == JobState.Done);
        // A worker that was lost may only now have said that it no longer runs something.
        world.RunUntil(world.Now + Aftermath);
        Reckon(cluster);
        return new JobJourney(
            world.Digest, world.Events, cluster.Store.Writes, cluster.Elections,
            cluster.Store.Tasks.Sum(t => (int)t.Attempts), world.Now);
    }

    private static void Retry(JobCluster cluster)
    {
        foreach (var user in cluster.Users)
        {
            user.Retry();
        }
    }

    private static void Heal(JobCluster cluster)
    {
        cluster.IsCalm = true;
        if (!cluster.Weather.IsKind)
        {
            foreach (var master in cluster.Masters.ToList())
            {
                master.Die();
            }
            cluster.Elect();
        }
        if (cluster.Weather.OneStaysDown)
        {
            cluster.Workers[^1].IsGone = true;
            cluster.Workers[^1].Crash();
        }
        foreach (var worker in cluster.Workers)
        {
            worker.Boot();
        }
        // Somebody has to work; one node may stay out of use, and is to be left alone. Words from before may still be
        // on their way.
        TakeIntoUse(cluster);
        cluster.World.After(LateWords, () => TakeIntoUse(cluster));
    }

    private static void TakeIntoUse(JobCluster cluster)
    {
        foreach (var worker in cluster.Workers.Skip(1))
        {
            Undrain(cluster, worker.Name);
        }
    }

    private static void Undrain(JobCluster cluster, string node)
    {
        cluster.Workers.Single(w => w.Name == node).DrainedAt = null;
        if (cluster.Store.Nodes.All(n => n.NodeId != node))
        {
            return;
        }
        cluster.Call(
            request => new DrainOrdered(request, new DrainRequest { NodeId = node, Undo = true }), (_, _) => { });
    }

    private static void Until(JobCluster cluster, string what, Func<JobUser, bool> holds)
    {
        cluster.World.RunUntil(cluster.World.Now + HealingLimit, () => cluster.Users.All(holds)
            && cluster.Workers.All(w => w.IsIdle));
        foreach (var user in cluster.Users.Where(u => !holds(u)))
        {
            throw new ViolationException(
                $"{user.JobId ?? "an order"} is not {what} but {user.State}; there are " + string.Join(
                    ", ", cluster.Store.Jobs.Select(j => $"{j.JobId} of {j.MediaId} {j.State} {j.Ending?.State}")));
        }
    }

    private static void Reckon(JobCluster cluster)
    {
        var store = cluster.Store;
        var named = store.Tasks.Where(t => t.CommittedAttempt > 0).Select(t => ObjectKey.AttemptPrefix(
            store.Jobs.Single(j => j.JobId == t.JobId).MediaId, t.JobId, t.TaskId, t.CommittedAttempt)).ToHashSet();
        JobCluster.Require(
            named.SetEquals(cluster.Objects), "objects are not those that commits name: " +
            string.Join(' ', named.Except(cluster.Objects).Select(o => $"-{o}")
                .Concat(cluster.Objects.Except(named).Select(o => $"+{o}"))));
        foreach (var worker in cluster.Workers.Where(w => !w.IsGone))
        {
            var known = worker.Core!.Synced.All;
            JobCluster.Require(
                known.Count == store.Synced.Count && store.Synced.All(v => known.GetValueOrDefault(v.Key) == v.Value),
                $"{worker.Name} follows [{string.Join(' ', known.Keys)}] of [{string.Join(' ', store.Synced.Keys)}]");
        }
        if (cluster.Weather.IsKind)
        {
            foreach (var task in store.Tasks.Where(t => t.Attempts > 1))
            {
                throw new ViolationException($"{task.JobId}/{task.TaskId} ran {task.Attempts} times for no reason");
            }
        }
    }
}
