using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// The scheduler of one mastership: a single-threaded state machine.
///
///   event → 1. time: workers that are overdue are lost, old streams retire, retries become ready
///         → 2. the event itself changes jobs, attempts, workers; what must last is emitted as Persist
///         → 3. free slots get ready tasks
///         → 4. watchers hear of changes
///         → effects, to be executed in order (see <see cref="SchedulerEffect"/>)
///
/// A job is in <see cref="JobLifecycle"/>, an attempt in <see cref="AttemptLedger"/>, a worker in
/// <see cref="WorkerTable"/>, a node out of use in <see cref="DrainedNodes"/>, priority and placement in
/// <see cref="Dispatcher"/>, watches in <see cref="JobFeeds"/>, what workers follow in <see cref="SyncBoard"/>.
/// </summary>
internal sealed class SchedulerCore
{
    private readonly SchedulerState state;
    private readonly JobFeeds feeds;
    private readonly JobLifecycle jobs;
    private readonly AttemptLedger attempts;
    private readonly WorkerTable workers;
    private readonly Dispatcher dispatcher;
    private readonly OneTaskJobs oneTasks;
    private readonly SyncBoard board;
    private readonly DrainedNodes drained;

    public SchedulerCore(MasterOptions options, long fence, string nodeId = "")
    {
        state = new SchedulerState(options, fence, nodeId);
        feeds = new JobFeeds(state);
        jobs = new JobLifecycle(state, feeds);
        attempts = new AttemptLedger(state, jobs, feeds);
        board = new SyncBoard(state);
        drained = new DrainedNodes(state, jobs, board);
        workers = new WorkerTable(state, attempts, jobs, feeds, board, drained);
        oneTasks = new OneTaskJobs(state, jobs);
        var shares = new TenantShares(board);
        dispatcher = new Dispatcher(state, attempts, new ReadyQueue(state, shares), shares);
    }

    /// <summary>When the next <see cref="Ticked"/> is due; null: nothing waits for time.</summary>
    public DateTimeOffset? NextWake
    {
        get
        {
            DateTimeOffset?[] due =
            [
                workers.NextLoss(), workers.NextStrike(), workers.NextRetirement(), drained.NextHandBack(),
                state.Retries.Min?.RetryAt, oneTasks.NextToForget(),
            ];
            return due.Min();
        }
    }

    public SchedulerState State => state;

    public IReadOnlyList<SchedulerEffect> Step(SchedulerEvent happened, DateTimeOffset now)
    {
        state.Now = now;
        workers.LoseOverdue();
        workers.ForgetLost();
        workers.RetireStreams();
        ReviveRetries();
        oneTasks.ForgetOverdue();
        Apply(happened);
        drained.HandBackOverdue();
        dispatcher.Run();
        feeds.Flush();
        return state.TakeEffects();
    }

    private void Apply(SchedulerEvent happened)
    {
        switch (happened)
        {
            case Loaded loaded:
                Load(loaded);
                break;
            case TranscodeOrdered order:
                jobs.Order(order);
                break;
            case TaskOrdered order:
                oneTasks.Order(order);
                break;
            case AttemptReported report:
                attempts.Report(report);
                break;
            case WorkerJoined joined:
                workers.Join(joined);
                break;
            case WorkerHeard heard:
                workers.Hear(heard);
                break;
            case WorkerLeft left:
                workers.Leave(left.Session);
                break;
            case WatchOpened watch:
                feeds.Watch(watch);
                break;
            case WatchClosed watch:
                feeds.Close(watch.Subscription);
                break;
            case RetryOrdered retry:
                jobs.Retry(retry);
                break;
            case CancelOrdered cancel:
                jobs.Cancel(cancel);
                break;
            case ForgetOrdered forget:
                jobs.Forget(forget);
                break;
            case DrainOrdered drain:
                drained.Order(drain);
                break;
            case SettingsChanged settings:
                board.Take(settings);
                break;
            case Swept swept:
                jobs.Finish(swept.JobId);
                break;
            case JobAsked asked:
                Tell(asked);
                break;
            case TaskAsked asked:
                Tell(asked);
                break;
            case ScheduleAsked asked:
                state.Emit(new Answer(asked.Request, ScheduleView.Of(state)));
                break;
            case NodesAsked asked:
                state.Emit(new Answer(asked.Request, NodesView.Of(state)));
                break;
            case QueuesAsked asked:
                state.Emit(new Answer(asked.Request, QueuesView.Of(state)));
                break;
            case Ticked:
                break;
            default:
                throw new InvalidOperationException($"no step is known for {happened.GetType().Name}");
        }
    }

    private void ReviveRetries()
    {
        while (state.Retries.Min is { } task && task.RetryAt <= state.Now)
        {
            state.Retries.Remove(task);
            task.RetryAt = null;
            jobs.MakeReady(task);
        }
    }

    private void Load(Loaded loaded)
    {
        (state.Since, state.TermRevision) = (state.Now, loaded.TermRevision);
        drained.Load(loaded.Nodes);
        board.Take(new SettingsChanged(null, loaded.Settings));
        foreach (var record in loaded.Jobs)
        {
            state.Add(new JobRun(record) { LastServed = state.Now });
        }

        foreach (var record in loaded.Tasks)
        {
            // A task without its job, or that the plan does not know, is left over from a job being forgotten.
            if (state.Find(new AttemptKey(record.JobId, record.TaskId, 0)) is { } task)
            {
                Restore(task, record);
            }
        }

        foreach (var ended in state.Jobs.Values.Where(j => j is { Ended: true, IsOneTask: true })
            .OrderBy(j => j.Record.EndedAtUnixMs))
        {
            state.OneTaskEnded.Enqueue(ended);
        }

        foreach (var job in state.Jobs.Values)
        {
            job.Revision = job.Tasks.Select(t => t.CommittedRevision)
                .Concat(job.Record.Turns.Select(t => t.Revision))
                .Append(job.Record.PlannedRevision)
                .Max();
            if (job.Active)
            {
                jobs.MakeAllReady(job);
            }

            jobs.Proceed(job);
        }

        state.Emit(new Note($"master with fence {state.Fence}: {state.Unfinished.Count} unfinished jobs"));
    }

    private void Restore(TaskRun task, TaskRecord record)
    {
        task.Record = record;
        if (task.Job.Active &&
            (record.Failures >= state.Options.AttemptLimit || record.Losses > AttemptLedger.LossLimit ||
                record.FullDisks >= AttemptLedger.FullDiskLimit))
        {
            // The job was restarted, and this task had no attempt since.
            record.Failures = 0;
            record.Losses = 0;
            record.FullDisks = 0;
        }

        if (task.Committed)
        {
            task.Job.CountCommit(task);
            state.Speeds.Learn(task, record.MediaSeconds, record.WallSeconds);
        }

        foreach (var open in record.Open)
        {
            task.Job.Open.Add(task);
            workers.Expect(open, task);
            if (!task.Committed && !open.Superseded && open.LostAtUnixMs == 0 && task.Job.Active)
            {
                task.Current = open.Attempt;
            }
        }
    }

    private void Tell(TaskAsked asked)
    {
        if (state.Find(new AttemptKey(asked.JobId, asked.TaskId, 0)) is { } task)
        {
            state.Emit(new Answer(asked.Request, ScheduleView.Of(state, task)));
            return;
        }

        state.ConfirmMastership();
        state.Emit(new Refuse(asked.Request, ErrorCodes.NotFound,
            $"There is no task '{asked.TaskId}' of a job '{asked.JobId}'."));
    }

    private void Tell(JobAsked asked)
    {
        if (state.Jobs.TryGetValue(asked.JobId, out var job))
        {
            state.Emit(new Answer(asked.Request, job.ToMessage()));
        }
        else
        {
            jobs.RefuseUnknown(asked.Request, asked.JobId);
        }
    }
}
