using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// Jobs from the order to the end. An end has two steps: it is decided (<c>ending</c> is durable, attempts are told to
/// stop), and when no connected worker runs an attempt any more and the objects that no commit names are gone, the job
/// takes the final state.
/// </summary>
internal sealed class JobLifecycle(SchedulerState state, JobFeeds feeds)
{
    /// <summary>How often one job may end and be retried.</summary>
    private const int TurnLimit = 200;

    // In place of a caller that waits for a job to be forgotten.
    private const long NoRequest = 0;

    public void Order(TranscodeOrdered ordered)
    {
        var order = ordered.Order;
        if (state.Standing(order.MediaId, order.PresetName) is { } standing)
        {
            state.Emit(new Answer(ordered.Request, new TranscodeResponse { JobId = standing.Id }));
            return;
        }

        // While no node is there at all, or not all have come to a new master, one may be about to.
        var demand = Demand.OfJob(order.Class);
        var why = WhyFull() ?? (!state.IsGathering && state.Present.Any() && !CanEncode(demand)
            ? $"No node could ever run it: none encodes {string.Join(" and ", demand.EachCodec)}." : null);
        if (why is not null)
        {
            state.Emit(new Refuse(ordered.Request, ErrorCodes.ResourceExhausted, why));
            return;
        }

        var job = new JobRun(new JobRecord
        {
            JobId = ordered.NewJobId,
            MediaId = order.MediaId,
            PresetName = order.PresetName,
            OutputFormats = { order.OutputFormats },
            SourceKey = order.SourceKey,
            Class = order.Class,
            Traceparent = order.Traceparent,
            CreatedAtUnixMs = state.Now.ToUnixTimeMilliseconds(),
            State = JobState.Running,
            Tenant = order.Tenant,
            Preset = order.Preset,
            SourceNode = order.SourceNode,
        });
        Begin(job);
        state.Emit(new Answer(ordered.Request, new TranscodeResponse { JobId = job.Id }));
        Note(job, $"job ordered with preset {order.PresetName}");
    }

    /// <summary>Null, or why no job is taken now.</summary>
    public string? WhyFull() => state.Unfinished.Count >= state.Options.QueueLimit
        ? $"The queue holds {state.Options.QueueLimit} jobs already (Master:QueueLimit). Try again later."
        : null;

    public void Begin(JobRun job)
    {
        state.Add(job);
        job.LastServed = state.Now;
        MakeReady(job.Tasks[0]);
        state.Persist(RecordWrite.Of(job.Record));
    }

    public void MakeReady(TaskRun task)
    {
        task.ReadySince = state.Now;
        task.Job.AddReady(task);
        feeds.Touch(task);
    }

    /// <summary>Every task that waits for nothing but a slot.</summary>
    public void MakeAllReady(JobRun job)
    {
        foreach (var task in job.Tasks.Where(t => !t.Committed))
        {
            feeds.Touch(task);
            if (task.Current == 0 && task.RetryAt is null && job.Unblocked(task) && !job.Ready.Contains(task))
            {
                MakeReady(task);
            }
        }
    }

    /// <summary>Decides the end, and goes towards it.</summary>
    public void End(JobRun job, JobState final, TaskFailure? failure, params IReadOnlyList<RecordWrite> together)
    {
        Decide(job, final, failure, together);
        Proceed(job);
    }

    /// <summary>
    /// Decides the end; the caller proceeds, when it has told what came before. It has emitted no Persist of the job's
    /// record in this step.
    /// </summary>
    public void Decide(JobRun job, JobState final, TaskFailure? failure, params IReadOnlyList<RecordWrite> together)
    {
        job.Record.Ending = new JobEnded { State = final, Failure = failure };
        state.Persist([.. together, RecordWrite.Of(job.Record)]);
        foreach (var task in job.Tasks)
        {
            if (task.RetryAt is not null)
            {
                state.Retries.Remove(task);
                task.RetryAt = null;
            }

            foreach (var open in task.Record.Open.Where(o => !o.Superseded).ToList())
            {
                Supersede(task, open, $"the job is {Word(final)}");
            }

            if (!task.Committed)
            {
                feeds.Touch(task);
            }
        }

        job.ClearReady();
    }

    /// <summary>No commit of the attempt is accepted from now on, durably; then its worker is told to stop.</summary>
    public void Supersede(TaskRun task, OpenAttempt open, string reason)
    {
        open.Superseded = true;
        if (task.Current == open.Attempt)
        {
            task.Current = 0;
            task.NoteEnd(state.Now);
        }

        state.Persist(RecordWrite.Of(task.Record));
        if (state.Workers.GetValueOrDefault(open.NodeId) is { Connected: true } worker)
        {
            Stop(worker, task.Key(open.Attempt), reason);
        }
    }

    public void Stop(WorkerRun worker, AttemptKey attempt, string reason) =>
        state.Emit(new Send(worker.Session, new MasterMessage
        {
            Cancel = new CancelTask { Attempt = attempt.ToMessage(), Reason = reason },
        }));

    /// <summary>Takes the next step of an end or of forgetting, if nothing stands in its way.</summary>
    public void Proceed(JobRun job)
    {
        if (job.Active || job.Sweeping || job.Open.Any(StillRuns))
        {
            return;
        }

        if (!job.Ended)
        {
            Sweep(job);
        }
        else if (job.Forgetting.Count > 0)
        {
            Forget(job);
        }
    }

    /// <summary>
    /// An attempt of a job that has ended turned out to be over. If its worker was lost, it may have left objects.
    /// </summary>
    public void SweepAgain(JobRun job)
    {
        if (job.Ended && !job.Sweeping && job.Open.Count == 0)
        {
            Sweep(job);
        }
    }

    public void Finish(string jobId)
    {
        if (!state.Jobs.TryGetValue(jobId, out var job) || !job.Sweeping)
        {
            return;
        }

        job.Sweeping = false;
        if (!job.Ended && !job.Active)
        {
            var turn = new JobTurn { Revision = ++job.Revision, Ended = job.Record.Ending.Clone() };
            job.Record.Turns.Add(turn);
            job.Record.State = job.Record.Ending.State;
            state.End(job);
            if (job.IsOneTask)
            {
                job.Record.EndedAtUnixMs = state.Now.ToUnixTimeMilliseconds();
                state.OneTaskEnded.Enqueue(job);
            }

            state.Persist(RecordWrite.Of(job.Record));
            feeds.Flush(job);
            feeds.Publish(job, JobFeeds.Turned(job, turn));
            state.Emit(new JobOver(job.Record.Clone()));
            Note(job, $"job {Word(job.Record.State)}" +
                (job.Record.Ending.Failure is { } why ? $": {why.Code}: {why.Message}" : ""),
                isDetail: job is { IsOneTask: true, Record.State: JobState.Done });
        }

        Proceed(job);
    }

    public void Retry(RetryOrdered ordered)
    {
        if (!state.Jobs.TryGetValue(ordered.JobId, out var job))
        {
            RefuseUnknown(ordered.Request, ordered.JobId);
            return;
        }

        if (job.Active)
        {
            state.Emit(new Answer(ordered.Request, new RetryJobResponse()));
            return;
        }

        if (WhyNotRetry(job) is { } words)
        {
            state.Emit(new Refuse(ordered.Request, ErrorCodes.PreconditionFailed, words));
            return;
        }

        foreach (var earlier in job.Record.Turns)
        {
            Failures.Shorten(earlier.Ended?.Failure);
        }

        var turn = new JobTurn { Revision = ++job.Revision, Restarted = new JobRestarted() };
        job.Record.Turns.Add(turn);
        job.Record.State = JobState.Running;
        job.Record.Ending = null;
        job.LastServed = state.Now;
        state.Begin(job);
        state.Persist(RecordWrite.Of(job.Record));
        foreach (var task in job.Tasks.Where(t => !t.Committed))
        {
            // What failed before the restart does not count. Durable with the next attempt; see Load.
            task.Record.Failures = 0;
            task.Record.Losses = 0;
            task.Record.FullDisks = 0;
        }

        MakeAllReady(job);
        feeds.Publish(job, JobFeeds.Turned(job, turn));
        state.Emit(new Answer(ordered.Request, new RetryJobResponse()));
        Note(job, "job restarted");
    }

    public void Cancel(CancelOrdered ordered)
    {
        if (!state.Jobs.TryGetValue(ordered.JobId, out var job))
        {
            RefuseUnknown(ordered.Request, ordered.JobId);
            return;
        }

        if (job.Active)
        {
            End(job, JobState.Cancelled, null);
        }

        state.Emit(new Answer(ordered.Request, new CancelJobResponse()));
    }

    public void Forget(ForgetOrdered ordered)
    {
        var jobs = state.JobsOfMedia.GetValueOrDefault(ordered.MediaId)?.ToList() ?? [];
        if (jobs.Count == 0)
        {
            state.ConfirmMastership();
            state.Emit(new Answer(ordered.Request, new ForgetMediaResponse()));
        }

        foreach (var job in jobs)
        {
            job.Forgetting.Add(ordered.Request);
        }

        foreach (var job in jobs)
        {
            if (job.Active)
            {
                End(job, JobState.Cancelled, null);
            }
            else
            {
                Proceed(job);
            }
        }
    }

    /// <summary>It has ended, and is not to be known any more.</summary>
    public void ForgetOf(JobRun job)
    {
        job.Forgetting.Add(NoRequest);
        Proceed(job);
    }

    public void RefuseUnknown(long request, string jobId)
    {
        state.ConfirmMastership();
        state.Emit(new Refuse(request, ErrorCodes.NotFound, $"There is no job '{jobId}'."));
    }

    private bool StillRuns(TaskRun task) => task.Record.Open.Any(open =>
        state.Workers.GetValueOrDefault(open.NodeId) is { IsLost: false } worker &&
        worker.Attempts.ContainsKey(task.Key(open.Attempt)));

    // Each codec somewhere: a job's tasks go to different nodes.
    private bool CanEncode(Demand demand) => demand.EachCodec.All(codec =>
        state.Present.Any(w => w.Labels.Codecs.Count == 0 || w.Labels.Codecs.Contains(codec)));

    private string? WhyNotRetry(JobRun job)
    {
        if (!job.Ended)
        {
            return "The job is still being ended. Try again when it has failed or is cancelled.";
        }

        if (job.Record.State == JobState.Done)
        {
            return "The job is done.";
        }

        if (job.Forgetting.Count > 0)
        {
            return "The job's media is being deleted.";
        }

        if (job.Record.Turns.Count >= TurnLimit)
        {
            return $"The job has ended {TurnLimit / 2} times. Upload the media again.";
        }

        return state.Standing(job.Record.MediaId, job.Record.PresetName) is { } other
            ? $"The job '{other.Id}' has taken its place."
            : null;
    }

    // An attempt's number is durable before the attempt starts, so these are all prefixes that anybody can have written
    // to, and none that a later attempt, or a later master's, writes to.
    private void Sweep(JobRun job)
    {
        job.Sweeping = true;
        var spares = true;
        Planted.Bend(MasterFault.CommittedObjectsSwept, ref spares, to: false);
        var sweep = new Sweep(job.Id, [.. job.Tasks.SelectMany(task =>
            Enumerable.Range(1, (int)task.Attempts)
                .Where(attempt => attempt != task.Record.CommittedAttempt || !spares)
                .Select(attempt => ObjectKey.AttemptPrefix(
                    job.Record.MediaId, job.Id, task.Spec.Id, (uint)attempt)))]);
        if (sweep.Prefixes.Count == 0)
        {
            Finish(job.Id);
            return;
        }

        state.Emit(sweep);
    }

    // Tasks first: a header without its tasks is a job that can be forgotten again, tasks without it are nobody's.
    private void Forget(JobRun job)
    {
        foreach (var task in job.Tasks.Where(t => t.Attempts > 0))
        {
            state.Persist(new RecordWrite(RecordWrite.TaskKey(job.Id, task.Spec.Id), null));
        }

        state.Persist(new RecordWrite(RecordWrite.JobKey(job.Id), null));
        foreach (var worker in state.Workers.Values)
        {
            foreach (var attempt in worker.Attempts.Keys.Where(a => a.JobId == job.Id).ToList())
            {
                if (worker.IsLost)
                {
                    // It may still run it; if it comes back and says so, it is told to stop.
                    worker.Attempts.Remove(attempt);
                }
                else
                {
                    worker.Attempts[attempt] = new HeldAttempt(null) { Named = worker.Attempts[attempt].Named };
                }
            }
        }

        feeds.Forget(job);
        state.Remove(job);
        foreach (var request in job.Forgetting.Where(r => r != NoRequest && !Waits(job.Record.MediaId, r)))
        {
            state.Emit(new Answer(request, new ForgetMediaResponse()));
        }

        Note(job, "job forgotten", isDetail: job.IsOneTask);
    }

    private bool Waits(string mediaId, long request) =>
        state.JobsOfMedia.GetValueOrDefault(mediaId)?.Any(j => j.Forgetting.Contains(request)) == true;

    private void Note(JobRun job, string words, bool isDetail = false) =>
        state.Emit(new Note(words, job.Record, isDetail));

    private static string Word(JobState final) => final switch
    {
        JobState.Done => "done",
        JobState.Failed => "failed",
        _ => "cancelled",
    };
}
