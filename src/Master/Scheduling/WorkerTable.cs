using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>Workers that come, speak, fall silent and leave.</summary>
internal sealed class WorkerTable(SchedulerState state, AttemptLedger attempts, JobLifecycle jobs, JobFeeds feeds)
{
    private const int SlotLimit = 1_024;

    public void Join(WorkerJoined joined)
    {
        var hello = joined.Hello;
        var worker = state.Worker(hello.NodeId);
        if (worker.Connected)
        {
            state.Sessions.Remove(worker.Session);
            state.Emit(new DropWorker(worker.Session, "the node has opened another stream"));
        }
        else
        {
            worker.Since = state.Now;
        }

        worker.Session = joined.Session;
        worker.Slots = Math.Clamp(hello.Slots, 1, SlotLimit);
        worker.LostAt = state.Now + state.Options.WorkerDeadAfter;
        worker.OnlyRecorded = false;
        state.Sessions.Add(joined.Session, worker);
        state.Emit(new Send(joined.Session, new MasterMessage { Welcome = new MasterWelcome { Fence = state.Fence } }));
        state.Emit(new Note($"worker {hello.NodeId} joined with {worker.Slots} slots, {hello.Running.Count} running"));

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
            worker.Session = 0;
            worker.Since = state.Now;
            worker.LostAt = state.Now + state.Options.StreamResumeWithin;
        }
    }

    /// <summary>A node that records name and that has not been seen in this mastership.</summary>
    public void Expect(string nodeId, TaskRun task, uint attempt)
    {
        var worker = state.Worker(nodeId);
        worker.OnlyRecorded = true;
        worker.Since = state.Now;
        worker.LostAt = state.Now + state.Options.WorkerDeadAfter;
        worker.Attempts[task.Key(attempt)] = new HeldAttempt(task);
    }

    public DateTimeOffset? NextLoss() => state.Workers.Values.Min(w => w.LostAt);

    public void LoseOverdue()
    {
        foreach (var worker in state.Workers.Values.Where(w => w.LostAt <= state.Now).ToList())
        {
            Lose(worker);
        }
    }

    /// <summary>The worker no longer names them: they are over.</summary>
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
            worker.Session = 0;
            worker.Since = state.Now;
        }

        state.Emit(new WorkerGivenUp(worker.NodeId));
        state.Emit(new Note($"worker {worker.NodeId} is lost with {worker.Attempts.Count} attempts"));
        foreach (var (key, held) in worker.Attempts.ToList())
        {
            if (held.Task is { } task && task.Current == key.Attempt)
            {
                attempts.Lose(task);
            }
        }

        foreach (var job in worker.Attempts.Values.Select(a => a.Task?.Job).OfType<JobRun>().Distinct().ToList())
        {
            jobs.Proceed(job);
        }

        foreach (var over in state.Workers.Values.Where(w => w.LostAt is null && w.Attempts.Count == 0).ToList())
        {
            state.Workers.Remove(over.NodeId);
        }
    }

    // Workers are coming back, so the others that the records name should, too: they need not be waited for as long
    // as if the whole cluster were starting.
    private void HurryRecorded()
    {
        var soon = state.Now + state.Options.StreamResumeWithin;
        foreach (var worker in state.Workers.Values.Where(w => w.OnlyRecorded && w.LostAt > soon))
        {
            worker.LostAt = soon;
        }
    }
}
