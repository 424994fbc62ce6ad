using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// Attempts from assignment to verdict. I2: a task has at most one commit. The first report of an attempt that is open
/// and not superseded wins, whether or not it is the attempt that the scheduler counts on by then.
/// </summary>
internal sealed class AttemptLedger(SchedulerState state, JobLifecycle jobs, JobFeeds feeds)
{
    /// <summary>How often a task may take its worker down with it before its job fails.</summary>
    public const int LossLimit = 32;

    /// <summary>How often a task is tried again, for about an hour, that finds no space: that is nothing of its own
    /// doing, and it is to go on by itself once there is some. One that needs more than a disk has must end.</summary>
    public const int FullDiskLimit = 120;

    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetryDelay = TimeSpan.FromSeconds(30);
    private const int Doublings = 5;

    public void Assign(TaskRun task, WorkerRun worker, string effectiveClass)
    {
        var job = task.Job;
        var attempt = ++task.Record.Attempts;
        var startedAt = state.Now.ToUnixTimeMilliseconds();
        task.Record.Open.Add(
            new OpenAttempt { Attempt = attempt, NodeId = worker.NodeId, StartedAtUnixMs = startedAt });
        (task.Record.StartedAtUnixMs, task.Record.EndedAtUnixMs) = (startedAt, 0);
        job.Open.Add(task);
        job.RemoveReady(task);
        job.LastServed = state.Now;
        SetCurrent(task, attempt, worker, running: false);
        // It can be there already: a worker claimed it that heard of it from a newer master. Then this one is outdated,
        // and the store will say so before anybody is told of the assignment.
        worker.Attempts[task.Key(attempt)] = new HeldAttempt(task);
        var isDurable = true;
        Planted.Bend(MasterFault.AttemptNumberNotDurable, ref isDurable, to: false);
        if (isDurable)
        {
            state.Persist(RecordWrite.Of(task.Record));
        }

        state.Emit(new Send(worker.Session, new MasterMessage
        {
            Assign = Assignment.Of(task, attempt, state.Fence, effectiveClass),
        }));
    }

    /// <summary>The worker came back with the attempt: count on it, unless another took its place.</summary>
    public void Claim(WorkerRun worker, AttemptKey key)
    {
        var task = state.Find(key);
        var open = task?.Open(key.Attempt);
        worker.Attempts[key] = new HeldAttempt(task) { Named = true };
        if (open is { LostAtUnixMs: > 0 } && open.NodeId == worker.NodeId)
        {
            open.LostAtUnixMs = 0;
            state.Persist(RecordWrite.Of(task!.Record));
        }

        if (task is null || open is null || open.NodeId != worker.NodeId || open.Superseded ||
            task.Committed || !task.Job.Active)
        {
            // Committed by this very attempt: its report was accepted and is about to be answered again.
            if (task?.Record.CommittedAttempt != key.Attempt)
            {
                state.ConfirmMastership();
                jobs.Stop(worker, key, "another attempt took its place, or its job is over");
            }
        }
        else if (task.Current == 0)
        {
            Unready(task);
            SetCurrent(task, key.Attempt, worker, running: true);
        }
        else if (task.Current != key.Attempt)
        {
            jobs.Supersede(task, open, "another attempt took its place");
        }
        else
        {
            task.Running = true;
            feeds.Touch(task);
        }
    }

    /// <summary>The attempt is known to be over without a report: its worker does not claim it.</summary>
    public void Close(TaskRun task, uint attempt)
    {
        if (!Remove(task, attempt))
        {
            return;
        }

        state.Persist(RecordWrite.Of(task.Record));
        if (task.Current == attempt)
        {
            Lose(task);
        }

        Settle(task.Job);
    }

    /// <summary>
    /// The attempt's worker is lost: the task goes to another. It stays open: it may commit. Durable, so that later
    /// masters neither wait for that worker nor count it again.
    /// </summary>
    public void Lose(TaskRun task, OpenAttempt open)
    {
        open.LostAtUnixMs = state.Now.ToUnixTimeMilliseconds();
        state.Persist(RecordWrite.Of(task.Record));
        if (task.Current == open.Attempt)
        {
            Lose(task);
        }
    }

    private void Lose(TaskRun task)
    {
        task.Current = 0;
        task.NoteEnd(state.Now);
        if (task.Committed || !task.Job.Active)
        {
            return;
        }

        task.Record.Losses++;
        if (task.Record.Losses > LossLimit)
        {
            Fail(task, new TaskFailure
            {
                Code = "worker_lost",
                Message = $"{LossLimit} workers were lost while they ran {task.Spec.Id}.",
            });
            return;
        }

        jobs.MakeReady(task);
    }

    public void Report(AttemptReported reported)
    {
        var report = reported.Report;
        if (report.Fence > state.Fence)
        {
            // The worker has heard of a newer master, who may have accepted this very report: its objects must not be
            // called superseded by one who cannot know.
            state.Emit(new Refuse(reported.Request, ErrorCodes.Unavailable, "A newer master has taken over. Ask it."));
            return;
        }

        var key = AttemptKey.Of(report.Attempt);
        var task = state.Find(key);
        state.Workers.GetValueOrDefault(report.NodeId)?.Attempts.Remove(key);
        var wasOpen = task?.Open(key.Attempt) is not null;
        var verdict = ReportStatusResponse.Types.Verdict.Superseded;
        if (task is null)
        {
            state.ConfirmMastership();
        }
        else
        {
            verdict = Judge(task, key.Attempt, report);
        }

        state.Emit(new Answer(reported.Request, new ReportStatusResponse { Verdict = verdict }));
        if (wasOpen)
        {
            Settle(task!.Job);
        }
    }

    private ReportStatusResponse.Types.Verdict Judge(TaskRun task, uint attempt, ReportStatusRequest report)
    {
        var repeated = report.Commit is not null
            ? task.Record.CommittedAttempt == attempt
            : task.Record.LastFailedAttempt == attempt && task.Open(attempt) is null;
        if (repeated)
        {
            return ReportStatusResponse.Types.Verdict.Accepted;
        }

        var open = task.Open(attempt);
        var counts = open is { Superseded: false } && !task.Committed && task.Job.Active;
        Planted.Bend(MasterFault.LateCommitAccepted, ref counts, to: task.Job.Active && open is not null);
        var current = task.Current == attempt;
        Remove(task, attempt);
        if (counts && (current || report.Commit is not null))
        {
            (task.Record.StartedAtUnixMs, task.Record.NodeId) = (open!.StartedAtUnixMs, open.NodeId);
            task.NoteEnd(state.Now);
        }

        if (!counts)
        {
            if (report.Commit is not null)
            {
                state.Emit(new Note(
                    $"{task.Spec.Id} attempt {attempt} of {report.NodeId} was done too late: its commit is refused",
                    task.Job.Record));
            }

            if (open is not null)
            {
                state.Persist(RecordWrite.Of(task.Record));
            }
            else
            {
                state.ConfirmMastership();
            }

            return ReportStatusResponse.Types.Verdict.Superseded;
        }

        if (report.Commit is { } commit && Problem(task, commit) is { } problem)
        {
            report.Failure = new TaskFailure { Code = "bad_commit", Message = problem, Permanent = true };
        }

        if (report.Commit is { } good)
        {
            Commit(task, attempt, good);
        }
        else
        {
            NoteFailure(task, attempt, report.Failure, report.NodeId, current);
        }

        return ReportStatusResponse.Types.Verdict.Accepted;
    }

    private void Commit(TaskRun task, uint attempt, TaskCommit commit)
    {
        var (job, record) = (task.Job, task.Record);
        Unready(task);
        task.Current = 0;
        record.CommittedAttempt = attempt;
        record.Result = commit.Result;
        record.MediaSeconds = commit.MediaSeconds;
        record.WallSeconds = commit.WallSeconds;
        var planned = task.Spec.Kind == TaskKind.Probe && !job.IsOneTask;
        if (planned)
        {
            job.Record.Plan = commit.Plan;
            job.Record.PlannedRevision = ++job.Revision;
        }

        record.CommittedRevision = ++job.Revision;
        job.CountCommit(task);
        state.Speeds.Learn(task, commit.MediaSeconds, commit.WallSeconds);
        if (!planned && job.Uncommitted == 0)
        {
            // Whoever watches hears of the commit first; then Report proceeds.
            jobs.Decide(job, JobState.Done, null, RecordWrite.Of(record));
        }
        else if (planned)
        {
            state.Persist(RecordWrite.Of(record), RecordWrite.Of(job.Record));
            job.Expand();
            feeds.Publish(job, JobFeeds.Planned(job));
        }
        else
        {
            state.Persist(RecordWrite.Of(record));
        }

        feeds.Publish(job, JobFeeds.Committed(task));
        feeds.Touch(task);
        foreach (var loser in record.Open.Where(o => !o.Superseded).ToList())
        {
            jobs.Supersede(task, loser, "another attempt committed first");
        }

        if (job.Active && (planned || job.UncommittedParts == 0 || job.UncommittedChunks == 0))
        {
            jobs.MakeAllReady(job);
        }
    }

    private void NoteFailure(TaskRun task, uint attempt, TaskFailure failure, string nodeId, bool current)
    {
        var record = task.Record;
        if (failure.Code is AttemptEnds.Cancelled or AttemptEnds.HandedBack && !failure.Permanent)
        {
            state.Persist(RecordWrite.Of(record));
            // Nothing more is assigned to a node that goes out of use, so what it gives back need not be counted.
            if (current && IsGoingOutOfUse(nodeId))
            {
                task.Current = 0;
                jobs.MakeReady(task);
            }
            else if (current)
            {
                Lose(task);
            }

            return;
        }

        var isFull = failure.Code is AttemptEnds.ScratchFull or ErrorCodes.StorageFull;
        var times = isFull ? ++record.FullDisks : ++record.Failures;
        record.LastFailure = failure;
        record.LastFailedAttempt = attempt;
        state.Emit(new Note(
            $"{task.Spec.Id} attempt {attempt} failed: {failure.Code}: {failure.Message}",
            task.Job.Record));
        if (failure.Permanent || times >= (isFull ? FullDiskLimit : state.Options.AttemptLimit))
        {
            Fail(task, failure);
            return;
        }

        state.Persist(RecordWrite.Of(record));
        if (current)
        {
            task.Current = 0;
            var delay = FirstRetryDelay * Math.Pow(2, Math.Min(times - 1, Doublings));
            task.RetryAt = state.Now + (delay < LastRetryDelay ? delay : LastRetryDelay);
            state.Retries.Add(task);
        }

        feeds.Touch(task);
    }

    private void Fail(TaskRun task, TaskFailure failure)
    {
        task.Current = 0;
        task.Record.LastFailure = failure;
        jobs.End(task.Job, JobState.Failed, failure, RecordWrite.Of(task.Record));
    }

    private void Settle(JobRun job)
    {
        if (job.Ended)
        {
            jobs.SweepAgain(job);
        }

        jobs.Proceed(job);
    }

    private bool IsGoingOutOfUse(string nodeId) =>
        state.Workers.GetValueOrDefault(nodeId) is { } worker && (worker.Leaving || state.IsDrained(worker));

    private void SetCurrent(TaskRun task, uint attempt, WorkerRun worker, bool running)
    {
        task.Current = attempt;
        task.Record.NodeId = worker.NodeId;
        task.Job.NoteWork(worker.NodeId);
        task.Running = running;
        task.Fraction = 0;
        task.Speed = 0;
        feeds.Touch(task);
    }

    private void Unready(TaskRun task)
    {
        task.Job.RemoveReady(task);
        if (task.RetryAt is not null)
        {
            state.Retries.Remove(task);
            task.RetryAt = null;
        }
    }

    /// <summary>Strikes the attempt from the open ones, wherever it ran; the caller persists.</summary>
    private bool Remove(TaskRun task, uint attempt)
    {
        if (task.Open(attempt) is not { } open)
        {
            return false;
        }

        state.Workers.GetValueOrDefault(open.NodeId)?.Attempts.Remove(task.Key(attempt));
        task.Record.Open.Remove(open);
        if (task.Record.Open.Count == 0)
        {
            task.Job.Open.Remove(task);
        }

        return true;
    }

    private static string? Problem(TaskRun task, TaskCommit commit) => task.Spec.Kind switch
    {
        TaskKind.Probe when commit.Result is null => "the probe's commit names no plan object",
        TaskKind.Probe => JobGraph.Problem(commit.Plan),
        TaskKind.Publish or TaskKind.Storyboard or TaskKind.Subtitles => null,
        _ => commit.Result is null ? $"the commit of {task.Spec.Id} names no object" : null,
    };
}
