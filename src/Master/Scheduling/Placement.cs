namespace Hexcast.Master.Scheduling;

/// <summary>
/// Where a task runs. A node has to be in use, with a free slot, of the class, the zone and the codecs, and with memory
/// and scratch disk left. Of those that will do, the one with the most free slots, fewer where other work keeps its
/// processors busy, and more where the source lies already or near by.
/// </summary>
internal static class Placement
{
    // In free slots: what it is worth not to fetch the source from elsewhere.
    private const double SourceLiesThere = 2;
    private const double SourceLiesInItsZone = 1;
    private const double HasWorkedOnIt = 0.5;

    public static WorkerRun? Choose(SchedulerState state, TaskRun task, Demand demand)
    {
        WorkerRun? best = null;
        var bestScore = 0.0;
        foreach (var worker in state.Workers.Values)
        {
            if (state.FreeSlots(worker) > 0 && WhyNotNow(state, worker, demand) is null &&
                Score(state, worker, task.Job) is var score && (best is null || score > bestScore))
            {
                (best, bestScore) = (worker, score);
            }
        }

        return best;
    }

    public static bool Serves(WorkerRun worker, string taskClass) =>
        worker.Labels.Classes.Count == 0 || worker.Labels.Classes.Contains(taskClass);

    /// <summary>Null: with nothing else to do, and in use, it could run that.</summary>
    public static string? WhyNever(WorkerRun worker, Demand demand)
    {
        var labels = worker.Labels;
        if (!Serves(worker, demand.Class))
        {
            return $"it does not serve the class {demand.Class}";
        }

        if (demand.Zone.Length > 0 && labels.Zone != demand.Zone)
        {
            return $"it is not in zone {demand.Zone}";
        }

        if (labels.Codecs.Count > 0 && demand.EachCodec.FirstOrDefault(c => !labels.Codecs.Contains(c)) is { } lacking)
        {
            return $"it cannot encode {lacking}";
        }

        return demand.IsExact && worker.Load is { MemoryTotalBytes: > 0 } load &&
            load.MemoryTotalBytes < demand.MemoryBytes
            ? $"it has {load.MemoryTotalBytes} bytes of memory, and {demand.MemoryBytes} are needed"
            : null;
    }

    /// <summary>Null: it can be given that now.</summary>
    public static string? WhyNotNow(SchedulerState state, WorkerRun worker, Demand demand)
    {
        if (WhyNever(worker, demand) is { } never)
        {
            return never;
        }

        if (state.FreeSlots(worker) <= 0)
        {
            return !worker.Connected ? "it is not connected"
                : state.IsDrained(worker) ? "it is drained"
                : worker.Leaving ? "it is stopping"
                : worker.Retiring ? "its stream is being replaced"
                : "it has no free slot";
        }

        // Of an estimate only so much is believed: a node that does nothing else may try.
        if (worker.Load is not { } load || (worker.Attempts.Count == 0 && !demand.IsExact))
        {
            return null;
        }

        var (memory, scratch) = Promised(worker);
        return load.MemoryTotalBytes > 0 && load.MemoryFreeBytes - memory < demand.MemoryBytes
            ? $"it has {load.MemoryFreeBytes - memory} bytes of memory left, and {demand.MemoryBytes} are needed"
            : load.MemoryTotalBytes > 0 && load.ScratchFreeBytes - scratch < demand.ScratchBytes
            ? $"it has {load.ScratchFreeBytes - scratch} bytes of scratch left, and {demand.ScratchBytes} are needed"
            : null;
    }

    public static double Score(SchedulerState state, WorkerRun worker, JobRun job)
    {
        var excess = Math.Max(0, (worker.Load?.CpuLoad ?? 0) - 1);
        var score = state.FreeSlots(worker) / (1 + excess);
        var source = job.Record.SourceNode;
        if (source.Length > 0 && worker.NodeId == source)
        {
            score += SourceLiesThere;
        }
        else if (source.Length > 0 && worker.Labels.Zone.Length > 0 &&
            state.Workers.GetValueOrDefault(source)?.Labels.Zone == worker.Labels.Zone)
        {
            score += SourceLiesInItsZone;
        }

        return job.HasWorkedOnIt(worker.NodeId) ? score + HasWorkedOnIt : score;
    }

    // To attempts that its last heartbeat knew nothing of: what they take is not in its figures.
    private static (long Memory, long Scratch) Promised(WorkerRun worker)
    {
        var (memory, scratch) = (0L, 0L);
        foreach (var held in worker.Attempts.Values)
        {
            memory += held.Named ? 0 : held.Demand.MemoryBytes;
            scratch += held.Named ? 0 : held.Demand.ScratchBytes;
        }

        return (memory, scratch);
    }
}
