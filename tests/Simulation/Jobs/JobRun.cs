using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Platform.ObjectStore;
using Hexcast.Simulation.Coordinators;

namespace Hexcast.Simulation.Jobs;

/// <summary>One seed: coordinators, masters and workers in their weather, then calm, then the reckoning.</summary>
internal static class JobRun
{
    private static readonly TimeSpan HealingLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LateWords = TimeSpan.FromSeconds(30);

    /// <summary>A worker that was lost may only then have said that it no longer runs something.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(60);

    /// <exception cref="ViolationException">With what went wrong.</exception>
    public static Journey Of(ulong seed, Action<string>? tell = null)
    {
        var world = new World(seed) { Tell = tell };
        var weather = JobWeather.Of(world.Dice);
        tell?.Invoke(weather.ToString());
        var cluster = new JobCluster(world, weather);
        ViolationException.Catch(() => Run(cluster));
        return GroupRun.Of(
            cluster.Group, ("transactions of masters", cluster.Ledger.Writes),
            ("attempts", cluster.Ledger.Tasks.Sum(t => (long)t.Attempts)));
    }

    private static void Run(JobCluster cluster)
    {
        var (world, weather) = (cluster.World, cluster.Weather);
        foreach (var worker in cluster.Workers)
        {
            world.After(world.Dice.Between(0, 2_000), worker.Boot);
        }
        foreach (var user in cluster.Users)
        {
            world.After(world.Dice.Between(0, weather.Sky.Trouble.TotalMilliseconds / 2), user.Order);
        }
        if (weather.Sky.Leases)
        {
            new GroupLeaseholder(cluster.Group, 1).Think();
        }
        var fate = new GroupFate(cluster.Group);
        fate.Begin();
        new JobFate(cluster).Begin();
        world.RunUntil(weather.Sky.Trouble);
        fate.ClearUp();
        Heal(cluster);
        Until(cluster, "ended", user => user.State is JobState.Done or JobState.Failed or JobState.Cancelled);
        // Twice: a cancellation from before may still be on its way.
        Retry(cluster);
        world.After(LateWords, () => Retry(cluster));
        Until(cluster, "done", user => user.State == JobState.Done);
        var until = world.Now + Aftermath;
        while (world.Now < until && Fault(cluster) is not null)
        {
            world.RunUntil(world.Now + TimeSpan.FromSeconds(1));
        }
        JobCluster.Require(Fault(cluster) is null, Fault(cluster) ?? "");
        Reckon(cluster);
        GroupRun.Reckon(cluster.Group);
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
            worker.DrainedAt = null;
            if (cluster.Ledger.Synced.ContainsKey(RecordWrite.NodeKey(worker.Name)))
            {
                cluster.Call(
                    request => new DrainOrdered(request, new DrainRequest { NodeId = worker.Name, Undo = true }),
                    (_, _) => { });
            }
        }
    }

    private static void Until(JobCluster cluster, string what, Func<JobUser, bool> holds)
    {
        bool Holds(JobUser user) => user.IsDeleting ? user.IsForgotten : holds(user);
        cluster.World.RunUntil(
            cluster.World.Now + HealingLimit,
            () => cluster.Users.All(Holds) && cluster.Workers.All(w => w.IsIdle));
        foreach (var user in cluster.Users.Where(u => !Holds(u)))
        {
            throw new ViolationException(
                $"{user.JobId ?? "an order"} is not {what} but {user.State}; there are " + string.Join(
                    ", ", cluster.Ledger.Jobs.Select(j => $"{j.JobId} of {j.MediaId} {j.State} {j.Ending?.State}"))
                + $"; {GroupRun.Standing(cluster.Group)}");
        }
    }

    /// <summary>What is not yet as it is to be: objects are those that commits name, and every worker knows all.
    /// </summary>
    private static string? Fault(JobCluster cluster)
    {
        var ledger = cluster.Ledger;
        var named = ledger.Tasks.Where(t => t.CommittedAttempt > 0).Select(t => ObjectKey.AttemptPrefix(
            ledger.Find(t.JobId)!.MediaId, t.JobId, t.TaskId, t.CommittedAttempt)).ToHashSet();
        if (!named.SetEquals(cluster.Objects))
        {
            return "objects are not those that commits name: " + string.Join(
                ' ', named.Except(cluster.Objects).Select(o => $"-{o}")
                    .Concat(cluster.Objects.Except(named).Select(o => $"+{o}")));
        }
        if (Master(cluster) is not { } master)
        {
            return "there is no master";
        }
        if (Followed(cluster).FirstOrDefault(f => f.Seen.Count < master.History(f.Id, 0).Count).Id is { } late)
        {
            return $"{late} has had more than its follower was told";
        }
        var ignorant = cluster.Workers.FirstOrDefault(w => !w.IsGone && !(w.Core?.Synced.All is { } known
            && known.Count == ledger.Synced.Count
            && ledger.Synced.All(v => known.GetValueOrDefault(v.Key) == v.Value)));
        return ignorant is null ? null : $"{ignorant.Name} does not follow [{string.Join(' ', ledger.Synced.Keys)}]";
    }

    private static void Reckon(JobCluster cluster)
    {
        foreach (var (id, seen) in Followed(cluster))
        {
            for (var cursor = 0; cursor <= seen.Count; cursor++)
            {
                JobCluster.Require(
                    Master(cluster)!.History(id, cursor).SequenceEqual(seen.Skip(cursor)),
                    $"the history of {id} after {cursor} is not what was told of it");
            }
        }
        if (cluster.Weather.IsKind)
        {
            foreach (var task in cluster.Ledger.Tasks.Where(t => t.Attempts > 1))
            {
                throw new ViolationException($"{task.JobId}/{task.TaskId} ran {task.Attempts} times for no reason");
            }
        }
    }

    private static JobMaster? Master(JobCluster cluster) =>
        cluster.Nodes.SingleOrDefault(n => n.Member.Name == cluster.Directory.Master)?.Term is { IsLoaded: true } term
            ? term
            : null;

    private static IEnumerable<(string Id, IReadOnlyList<JobEvent> Seen)> Followed(JobCluster cluster) =>
        cluster.Users.Where(u => !u.IsDeleting).Select(u => (u.JobId!, u.Follower!.Seen));
}
