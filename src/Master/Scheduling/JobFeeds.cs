using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Scheduling;

/// <summary>One WatchJob call.</summary>
internal sealed record Subscription(long Id, JobRun Job, bool Follow);

/// <summary>
/// The events of jobs. A durable event is not kept as such: it is derived from the records, each of which carries the
/// revision of what it says, so that a watch can start at any revision, also after a restart.
/// </summary>
internal sealed class JobFeeds(SchedulerState state)
{
    private readonly Dictionary<long, Subscription> subscriptions = [];

    /// <summary>Jobs with tasks that changed in this step.</summary>
    private readonly List<JobRun> changed = [];

    public void Watch(WatchOpened opened)
    {
        var watch = opened.Watch;
        if (!state.Jobs.TryGetValue(watch.JobId, out var job))
        {
            state.ConfirmMastership();
            state.Emit(new EndFeed(opened.Subscription, ErrorCodes.NotFound, $"There is no job '{watch.JobId}'."));
            return;
        }

        var events = History(job).Where(e => e.Revision > watch.AfterRevision).OrderBy(e => e.Revision).ToList();
        if (!job.Ended || watch.Follow)
        {
            events.Add(Progress(job, job.Tasks));
        }

        if (events.Count > 0)
        {
            state.Emit(new Feed(opened.Subscription, events));
        }

        if (job.Ended && !watch.Follow)
        {
            state.Emit(new EndFeed(opened.Subscription, null, null));
            return;
        }

        var subscription = new Subscription(opened.Subscription, job, watch.Follow);
        subscriptions.Add(subscription.Id, subscription);
        job.Watches.Add(subscription);
    }

    public void Close(long id)
    {
        if (subscriptions.Remove(id, out var subscription))
        {
            subscription.Job.Watches.Remove(subscription);
        }
    }

    /// <summary>Tells the watchers of a durable event. Its Persist is emitted before.</summary>
    public void Publish(JobRun job, JobEvent durable)
    {
        foreach (var subscription in job.Watches.ToList())
        {
            state.Emit(new Feed(subscription.Id, [durable]));
            if (durable.Ended is not null && !subscription.Follow)
            {
                Close(subscription.Id);
                state.Emit(new EndFeed(subscription.Id, null, null));
            }
        }
    }

    public void Forget(JobRun job)
    {
        foreach (var subscription in job.Watches.ToList())
        {
            Close(subscription.Id);
            state.Emit(new EndFeed(subscription.Id, ErrorCodes.NotFound, $"The job '{job.Id}' was forgotten."));
        }
    }

    /// <summary>The task stands elsewhere than its watchers know.</summary>
    public void Touch(TaskRun task)
    {
        if (!task.Job.IsWatched)
        {
            return;
        }

        if (task.Job.Changed.Count == 0)
        {
            changed.Add(task.Job);
        }

        task.Job.Changed.Add(task);
    }

    /// <summary>At the end of a step: one progress message a job.</summary>
    public void Flush()
    {
        changed.ForEach(TellProgress);
        changed.Clear();
    }

    /// <summary>Before the end of a job, which is the last that its watchers hear.</summary>
    public void Flush(JobRun job)
    {
        if (changed.Remove(job))
        {
            TellProgress(job);
        }
    }

    private void TellProgress(JobRun job)
    {
        var progress = Progress(job, job.Changed.OrderBy(t => t.Spec.Rank));
        job.Changed.Clear();
        foreach (var subscription in job.Watches)
        {
            state.Emit(new Feed(subscription.Id, [progress]));
        }
    }

    public static JobEvent Planned(JobRun job) => Event(job, job.Record.PlannedRevision, e => e.Planned = new JobPlanned
    {
        Plan = job.Tasks[0].Record.Result,
        Summary = job.Record.Plan,
    });

    public static JobEvent Committed(TaskRun task) =>
        Event(task.Job, task.Record.CommittedRevision, e => e.Committed = new TaskCommitted
        {
            TaskId = task.Spec.Id,
            Attempt = task.Record.CommittedAttempt,
            Kind = task.Spec.Kind,
            Chunk = task.Spec.Chunk,
            Result = task.Record.Result,
        });

    public static JobEvent Turned(JobRun job, JobTurn turn) => Event(job, turn.Revision, e =>
    {
        if (turn.Ended is not null)
        {
            e.Ended = turn.Ended;
        }
        else
        {
            e.Restarted = turn.Restarted;
        }
    });

    private static IEnumerable<JobEvent> History(JobRun job)
    {
        if (job.Record.PlannedRevision > 0)
        {
            yield return Planned(job);
        }

        foreach (var task in job.Tasks.Where(t => t.Committed))
        {
            yield return Committed(task);
        }

        foreach (var turn in job.Record.Turns)
        {
            yield return Turned(job, turn);
        }
    }

    private static JobEvent Progress(JobRun job, IEnumerable<TaskRun> tasks) => Event(job, 0, e =>
    {
        e.Progress = new JobProgress();
        e.Progress.Tasks.Add(tasks.Select(t => t.ToBriefMessage()));
    });

    // The messages that events share with records are cloned: a record changes, an event must not.
    private static JobEvent Event(JobRun job, long revision, Action<JobEvent> fill)
    {
        var message = new JobEvent
        {
            JobId = job.Id,
            MediaId = job.Record.MediaId,
            Version = job.Id,
            Revision = revision,
        };
        fill(message);
        return message.Clone();
    }
}
