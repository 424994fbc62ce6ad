using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Tests.Support;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Master.Tests.Simulation;

/// <summary>
/// Seeded runs of the whole cluster. A seed that fails is named in the message; put it into
/// <see cref="A_run_is_its_seed"/> to look at it alone.
/// </summary>
public sealed class SimulationTests
{
    private const int UsualSeeds = 150;

    /// <summary>A long night: HEXCAST_SIMULATION_SEEDS=100000.</summary>
    private static readonly int Seeds =
        int.TryParse(Environment.GetEnvironmentVariable("HEXCAST_SIMULATION_SEEDS"), out var count)
            ? count
            : UsualSeeds;

    private static readonly TimeSpan ChaosTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan HealingLimit = TimeSpan.FromMinutes(10);

    [Fact]
    public void Every_job_ends_as_it_should_whatever_dies_on_the_way()
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            Check(seed);
        }
    }

    [Theory]
    [InlineData(1)]
    public void A_run_is_its_seed(int seed) => Run(seed).ShouldBe(Run(seed));

    private static void Check(int seed)
    {
        try
        {
            Run(seed);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
        }
    }

    private static string Run(int seed)
    {
        var world = new World(seed);
        var users = Enumerable.Range(1, world.Random.Next(1, 9)).Select(i => new SimUser(world, i)).ToList();
        world.Elect();
        foreach (var worker in world.Workers)
        {
            world.After(world.Between(0, 2_000), worker.Boot);
        }

        foreach (var user in users)
        {
            world.After(world.Between(0, 30_000), user.Order);
        }

        Trouble(world, users);
        world.RunUntil(World.Start + ChaosTime);
        Heal(world);
        var healed = world.Now;
        world.RunUntil(
            healed + HealingLimit,
            () => users.All(u => Settled(world, u)) && world.Workers.All(w => w.Idle));
        users.ShouldAllBe(u => Settled(world, u));

        foreach (var user in users.Where(u => !u.Deleted))
        {
            // Twice: a cancellation from before may still be on its way.
            world.After(TimeSpan.Zero, user.Retry);
            world.After(TimeSpan.FromMinutes(1), user.Retry);
        }

        world.RunUntil(
            world.Now + HealingLimit,
            () => users.All(u => Done(world, u)) && world.Workers.All(w => w.Idle));
        users.Where(u => !Done(world, u)).SelectMany(u => world.Jobs.Where(j => j.MediaId == u.Media))
            .ShouldBeEmpty("every job is done");
        // A worker that was lost may only now have said that it no longer runs something.
        world.RunUntil(world.Now + TimeSpan.FromSeconds(30));
        CheckObjects(world);
        CheckWatches(world, users);
        return string.Join('\n', users.Where(u => u.Watcher is not null)
            .Select(u => string.Join(' ', u.Watcher!.Seen.Select(e => e.ToString()))));
    }

    private static void Trouble(World world, List<SimUser> users)
    {
        Every(2_000, 12_000, () => world.Masters.LastOrDefault()?.Die(), then: Elect);
        Every(5_000, 20_000, () => { }, then: Elect);
        Every(2_000, 10_000, () => Any(world.Workers).Stream?.Cut());
        Every(3_000, 15_000, () =>
        {
            var worker = Any(world.Workers);
            worker.Crash();
            world.After(world.Between(10, 15_000), worker.Boot);
        });
        Every(20_000, 60_000, () => Any(users).Cancel());
        Every(5_000, 20_000, () => Any(users).Retry());
        if (world.Roll(0.5))
        {
            Every(30_000, 60_000, () => Any(users).Delete());
        }

        void Elect()
        {
            if (world.Chaos)
            {
                world.Elect();
                var stale = world.Masters.SkipLast(1).ToList();
                world.After(world.Between(0, 3_000), () => stale.ForEach(m => m.Die()));
            }
        }

        void Every(double fromMs, double toMs, Action action, Action? then = null) =>
            world.After(world.Between(fromMs, toMs), () =>
            {
                if (!world.Chaos)
                {
                    return;
                }

                action();
                if (then is not null)
                {
                    world.After(world.Between(0, 1_000), then);
                }

                Every(fromMs, toMs, action, then);
            });

        T Any<T>(IReadOnlyList<T> all) => all[world.Random.Next(all.Count)];
    }

    private static void Heal(World world)
    {
        world.Chaos = false;
        foreach (var master in world.Masters.ToList())
        {
            master.Die();
        }

        world.Elect();
        foreach (var worker in world.Workers)
        {
            worker.Boot();
        }
    }

    private static bool Settled(World world, SimUser user) => user.Deleted
        ? user.Forgotten
        : user.JobId is not null && Find(world, user).State != JobState.Running;

    private static bool Done(World world, SimUser user) => user.Deleted || Find(world, user).State == JobState.Done;

    private static JobRecord Find(World world, SimUser user) => world.Jobs.Single(j => j.JobId == user.JobId);

    private static void CheckObjects(World world)
    {
        var named = world.Tasks.Where(t => t.CommittedAttempt > 0).Select(t => ObjectKey.AttemptPrefix(
            world.Jobs.Single(j => j.JobId == t.JobId).MediaId, t.JobId, t.TaskId, t.CommittedAttempt));
        world.Objects.Order().ShouldBe(named.Order(), "objects are those that commits name, no more and no less");
    }

    private static void CheckWatches(World world, List<SimUser> users)
    {
        foreach (var user in users.Where(u => !u.Deleted))
        {
            var follower = user.Watcher!;
            for (var cursor = 0; cursor <= follower.Seen.Count; cursor++)
            {
                var reader = new List<JobEvent>();
                foreach (var feed in world.Masters[^1].Core
                    .Step(new WatchOpened(world.Number(), new WatchJobRequest
                    {
                        JobId = user.JobId, AfterRevision = cursor,
                    }), world.Now).OfType<Feed>())
                {
                    reader.AddRange(feed.Events.Where(e => e.Revision > 0));
                }

                reader.ShouldBe(follower.Seen.Skip(cursor), $"the history of {user.JobId} after {cursor}");
            }
        }
    }
}
