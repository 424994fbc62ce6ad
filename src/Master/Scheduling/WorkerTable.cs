using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>Workers that come, speak, fall silent and leave.</summary>
internal sealed class WorkerTable(
    SchedulerState state, AttemptLedger attempts, JobLifecycle jobs, JobFeeds feeds, SyncBoard board,
    DrainedNodes drained)
{
    private const int SlotLimit = 1_024;

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
            Disconnect(worker);
        }

        state.Emit(new WorkerGivenUp(worker.NodeId));
        state.Emit(new Note($"worker {worker.NodeId} is lost with {worker.Attempts.Count} attempts"));
        foreach (var (key, held) in worker.Attempts.ToList())
        {
            var isLost = held.Task?.Current == key.Attempt;
            Planted.Bend(MasterFault.LostWorkersKeepTheirTasks, ref isLost, to: false);
            if (isLost)
            {
                attempts.Lose(held.Task!);
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
        var soon = state.Now + state.Options.StreamResumeWithin;
        foreach (var worker in state.Workers.Values.Where(w => w.OnlyRecorded && w.LostAt > soon))
        {
            worker.LostAt = soon;
        }
    }
}
