using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Tests.Simulation;

/// <summary>The catalogue's side of one media: orders, follows, and sometimes cancels or deletes.</summary>
internal sealed class SimUser(World world, int number)
{
    public string Media { get; } = $"m{number}";

    public string? JobId { get; private set; }

    public SimWatcher? Watcher { get; private set; }

    public bool Deleted { get; private set; }

    public bool Forgotten { get; private set; }

    /// <summary>One to six chunks, and sound, a storyboard and subtitles or none, by the media's name.</summary>
    public static PlanSummary PlanOf(string media)
    {
        var random = new Random(media[1] * 31);
        return Support.Stage.Plan(
            random.Next(1, 7), random.Next(4) > 0, storyboard: random.Next(3) > 0, subtitles: random.Next(2));
    }

    public void Order()
    {
        var attempts = 0;
        world.Call(
            // Ids of jobs come from the clock in production, so each is later than those before.
            request => new TranscodeOrdered(request, $"j{world.Number():D8}", new TranscodeRequest
            {
                MediaId = Media, PresetName = "p", Class = attempts++ % 2 == 0 ? "hd" : "background",
                SourceKey = $"sources/{Media}",
            }),
            () => !Deleted,
            (message, refusal) =>
            {
                if (refusal is not null)
                {
                    refusal.ShouldBe("resource_exhausted");
                    world.After(world.Between(500, 2_000), Order);
                    return;
                }

                JobId = ((TranscodeResponse)message!).JobId;
                world.Jobs.ShouldContain(j => j.JobId == JobId, "an order was acknowledged before it was durable (I1)");
                Watcher = new SimWatcher(world, JobId);
                Watcher.Reopen();
            });
    }

    public void Cancel() => Once(request => new CancelOrdered(request, JobId!));

    public void Retry() => Once(request => new RetryOrdered(request, JobId!));

    public void Delete()
    {
        Deleted = true;
        world.Call(request => new ForgetOrdered(request, Media), () => true, (_, refusal) =>
        {
            refusal.ShouldBeNull();
            Forgotten = true;
            world.Jobs.ShouldAllBe(j => j.MediaId != Media);
            world.Objects.RemoveWhere(o => o.StartsWith($"media/{Media}/", StringComparison.Ordinal));
            if (JobId is not null)
            {
                world.Forget(JobId);
            }
        });
    }

    private void Once(Func<long, SchedulerEvent> ask)
    {
        if (JobId is not null && !Deleted)
        {
            world.Call(ask, () => !Deleted, (_, _) => { });
        }
    }
}

/// <summary>Follows a job with a cursor, over masters and broken watches.</summary>
internal sealed class SimWatcher(World world, string jobId)
{
    private SimMaster? master;

    public long Subscription { get; set; }

    public List<JobEvent> Seen { get; } = [];

    public void Reopen()
    {
        if (world.AnyMaster() is not { } next)
        {
            world.After(world.Between(50, 500), Reopen);
            return;
        }

        master?.Unwatch(this);
        master = next;
        master.Watch(this, new WatchJobRequest
        {
            JobId = jobId,
            AfterRevision = Seen.Count == 0 ? 0 : Seen[^1].Revision,
            Follow = true,
        });
    }

    public void Take(IReadOnlyList<JobEvent> events)
    {
        foreach (var durable in events.Where(e => e.Revision > 0))
        {
            durable.Revision.ShouldBe(Seen.Count == 0 ? 1 : Seen[^1].Revision + 1, $"a gap in the events of {jobId}");
            Seen.Add(durable);
        }

        if (world.Chaos && world.Roll(0.05))
        {
            world.After(world.Between(0, 100), Reopen);
        }
    }

    /// <summary>The master says that there is no such job; one that was replaced must not say so.</summary>
    public void End() => world.Jobs.ShouldAllBe(j => j.JobId != jobId);
}
