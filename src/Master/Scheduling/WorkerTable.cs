using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>Workers that come, speak, fall silent and leave.</summary>
internal sealed class WorkerTable(
    SchedulerState state, AttemptLedger attempts, JobLifecycle jobs, JobFeeds feeds, SyncBoard board,
    DrainedNodes drained)
{
    private const int SlotLimit = 1_024;

    /// <summary>For so long a lost worker may come back and say what it has left of jobs that have ended.</summary>
    public static readonly TimeSpan MayReturnWithin = TimeSpan.FromMinutes(10);

    // Of StreamResumeWithin: no stream of theirs has broken here, they only have not come yet.
    private const int PatienceWithRecorded = 3;

    public void Join(WorkerJoined joined)
    {
        var hello = joined.Hello;
        var worker = state.Worker(hello.NodeId);
        var replaced = worker.Session;
        if (worker.Connected)
        {
            state.Sessions.Remove(worker.Session);
        }
        else
        {
            worker.Since = state.Now;
        }

        worker.Session = joined.Session;
        worker.Slots = Math.Clamp(hello.Slots, 1, SlotLimit);
        worker.Labels = hello.Labels ?? new NodeLabels();
        worker.Leaving = hello.Leaving;
        worker.LostAt = state.Now + state.Options.WorkerDeadAfter;
        worker.StreamEndsAt = state.Now + state.Options.StreamMaxAge;
        worker.Retiring = false;
        worker.OnlyRecorded = false;
        state.Sessions.Add(joined.Session, worker);
        state.Emit(new Send(joined.Session, new MasterMessage { Welcome = new MasterWelcome { Fence = state.Fence } }));
        if (replaced == 0)
        {
            state.Emit(new Note(
                $"worker {hello.NodeId} joined with {worker.Slots} slots, {hello.Running.Count} running"));
        }
        else
        {
            state.Emit(new DropWorker(replaced, "the node has opened another stream"));
        }

        board.Greet(joined.Session, hello.Synced);
        drained.Greet(worker);

        var claimed = hello.Running.Select(AttemptKey.Of).ToHashSet();
        Drop(worker, worker.Attempts.Keys.Where(key => !claimed.Contains(key)));

        foreach (var key in claimed)
        {
            attempts.Claim(worker, key);
        }

        HurryRecorded();
    }

    public void Hear(WorkerHeard heard)
    {
        if (!state.Sessions.TryGetValue(heard.Session, out var worker))
        {
            return;
        }

        worker.LostAt = state.Now + state.Options.WorkerDeadAfter;
        worker.Load = heard.Heartbeat;
        worker.Leaving |= heard.Heartbeat.Leaving;
        worker.Slots = heard.Heartbeat.Slots > 0 ? Math.Clamp(heard.Heartbeat.Slots, 1, SlotLimit) : worker.Slots;
        var named = new HashSet<AttemptKey>();
        foreach (var progress in heard.Heartbeat.Tasks)
        {
            var key = AttemptKey.Of(progress.Attempt);
            named.Add(key);
            if (worker.Attempts.GetValueOrDefault(key) is not { } held)
            {
                continue;
            }

            held.Named = true;
            if (held.Task is { } task && task.Current == key.Attempt)
            {
                task.Running = true;
                task.Fraction = double.IsFinite(progress.Fraction) ? Math.Clamp(progress.Fraction, 0, 1) : 0;
                task.Speed = double.IsFinite(progress.Speed) ? Math.Max(0, progress.Speed) : 0;
                feeds.Touch(task);
            }
        }

        // An answer may have crossed a hello that still claimed the attempt: its slot is free since.
        Drop(worker, worker.Attempts.Where(a => a.Value.Named && !named.Contains(a.Key)).Select(a => a.Key));
    }

    public void Leave(long session)
    {
        if (state.Sessions.Remove(session, out var worker))
        {
            Disconnect(worker);
            worker.LostAt = state.Now + state.Options.StreamResumeWithin;
            if (worker.Leaving && worker.Attempts.Count == 0)
            {
                state.Workers.Remove(worker.NodeId);
                state.Emit(new Note($"worker {worker.NodeId} has left"));
            }
        }
    }

    /// <summary>Streams that have reached their age are to be followed by others, and end if they are not.</summary>
    public void RetireStreams()
    {
        foreach (var worker in state.Workers.Values.Where(w => w.Connected && w.StreamEndsAt <= state.Now).ToList())
        {
            if (worker.Retiring)
            {
                var session = worker.Session;
                Leave(session);
                state.Emit(new DropWorker(session, "the worker did not open another stream"));
                continue;
            }

            var isSpared = true;
            Planted.Bend(MasterFault.AssignsToAStreamThatIsReplaced, ref isSpared, to: false);
            worker.Retiring = isSpared;
            worker.StreamEndsAt = state.Now + state.Options.WorkerDeadAfter;
            state.Emit(new Send(worker.Session, new MasterMessage { Reconnect = new Reconnect() }));
        }
    }

    public DateTimeOffset? NextRetirement() =>
        state.Workers.Values.Where(w => w.Connected).Min(w => w.StreamEndsAt);

    /// <summary>A node that records name and that has not been seen in this mastership. One that an earlier master has
    /// given up stays so.</summary>
    public void Expect(OpenAttempt open, TaskRun task)
    {
        var worker = state.Worker(open.NodeId);
        worker.OnlyRecorded = true;
        worker.Attempts[task.Key(open.Attempt)] = new HeldAttempt(task);
        if (open.LostAtUnixMs == 0)
        {
            (worker.Since, worker.LostAt) = (state.Now, state.Now + state.Options.WorkerDeadAfter);
        }
        else if (worker.IsLost)
        {
            worker.Since = DateTimeOffset.FromUnixTimeMilliseconds(open.LostAtUnixMs);
        }
    }

    public DateTimeOffset? NextLoss() => state.Workers.Values.Min(w => w.LostAt);

    public DateTimeOffset? NextStrike() => state.Workers.Values
        .Where(w => w.IsLost && w.Attempts.Values.Any(IsOfTheEnded))
        .Min(w => (DateTimeOffset?)w.Since + MayReturnWithin);

    public void LoseOverdue()
    {
        foreach (var worker in state.Workers.Values.Where(w => w.LostAt <= state.Now).ToList())
        {
            Lose(worker);
        }
    }

    /// <summary>
    /// A lost worker is known for as long as an attempt of it is open. Those of jobs that have ended cannot commit any
    /// more: after a time their objects are swept once more, and then they are not waited for. Should the worker come
    /// back all the same, it is told to stop, and removes what it wrote since.
    /// </summary>
    public void ForgetLost()
    {
        foreach (var worker in state.Workers.Values.Where(w => w.IsLost).ToList())
        {
            if (worker.Since + MayReturnWithin <= state.Now)
            {
                Drop(worker, worker.Attempts.Where(a => IsOfTheEnded(a.Value)).Select(a => a.Key));
            }

            if (worker.Attempts.Count == 0)
            {
                state.Workers.Remove(worker.NodeId);
            }
        }
    }

    private static bool IsOfTheEnded(HeldAttempt held) => held.Task!.Job.Ended;

    /// <summary>They are over: the worker no longer names them, or is away for ever.</summary>
    private void Drop(WorkerRun worker, IEnumerable<AttemptKey> over)
    {
        foreach (var key in over.ToList())
        {
            worker.Attempts.Remove(key, out var held);
            if (held?.Task is { } task)
            {
                attempts.Close(task, key.Attempt);
            }
        }
    }

    private void Lose(WorkerRun worker)
    {
        worker.LostAt = null;
        if (worker.Connected)
        {
            state.Sessions.Remove(worker.Session);
            state.Emit(new DropWorker(worker.Session,
                $"nothing was heard of the worker for {state.Options.WorkerDeadAfter.TotalSeconds} s"));
            Disconnect(worker);
        }

        state.Emit(new WorkerGivenUp(worker.NodeId));
        state.Emit(new Note($"worker {worker.NodeId} is lost with {worker.Attempts.Count} attempts"));
        var held = worker.Attempts.ToList();
        foreach (var (key, attempt) in held)
        {
            var loses = true;
            Planted.Bend(MasterFault.LostWorkersKeepTheirTasks, ref loses, to: false);
            if (attempt.Task?.Open(key.Attempt) is not { } open || open.NodeId != worker.NodeId)
            {
                // It had been told to stop, and nothing of it is open.
                worker.Attempts.Remove(key);
            }
            else if (loses)
            {
                attempts.Lose(attempt.Task, open);
            }
        }

        foreach (var job in held.Select(a => a.Value.Task?.Job).OfType<JobRun>().Distinct())
        {
            jobs.Proceed(job);
        }
    }

    private void Disconnect(WorkerRun worker)
    {
        worker.Session = 0;
        worker.Since = state.Now;
        worker.StreamEndsAt = null;
        worker.Retiring = false;
    }

    // Workers are coming back, so the others that the records name should, too: they need not be waited for as long
    // as if the whole cluster were starting.
    private void HurryRecorded()
    {
        var soon = state.Now + state.Options.StreamResumeWithin * PatienceWithRecorded;
        foreach (var worker in state.Workers.Values.Where(w => w.OnlyRecorded && w.LostAt > soon))
        {
            worker.LostAt = soon;
        }
    }
}
