using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// Which task runs next, and where. Priority is class, then the longest remaining path, then age. In class low_latency
/// are, of every job but background ones, the tasks that are short and that others or a viewer wait for: all but the
/// chunks after the first.
/// Nothing starves: every eighth assignment goes to the job that was served longest ago, if that is long.
/// </summary>
internal sealed class Dispatcher(SchedulerState state, AttemptLedger attempts)
{
    public const string LowLatency = "low_latency";
    public const string DefaultClass = "hd";
    private const int FairTurn = 8;

    private static readonly TimeSpan StarvedAfter = TimeSpan.FromSeconds(30);
    private static readonly string[] Classes = [LowLatency, DefaultClass, "sd", "background"];

    private long assignments;

    public static bool IsClass(string name) => Classes.Contains(name, StringComparer.Ordinal);

    public static string ClassNames => string.Join(", ", Classes);

    /// <summary>The first served first.</summary>
    public static IReadOnlyList<string> AllClasses => Classes;

    /// <summary>The class that a task is served in.</summary>
    public static string EffectiveClass(TaskRun task) => Classes[Lane(task)];

    public void Run()
    {
        while (FreestWorker() is { } worker && Next() is { } task)
        {
            assignments++;
            attempts.Assign(task, worker, EffectiveClass(task));
        }
    }

    // The most free slots: work spreads, and a worker that is lost takes less with it.
    private WorkerRun? FreestWorker() =>
        state.Workers.Values.Where(w => state.FreeSlots(w) > 0).MaxBy(state.FreeSlots);

    private TaskRun? Next()
    {
        TaskRun? best = null;
        TaskRun? starved = null;
        foreach (var job in state.Unfinished.Values.Where(j => !j.Sweeping && j.Ready.Count > 0))
        {
            var candidate = job.Ready.Min!;
            best = best is null || IsBefore(candidate, best) ? candidate : best;
            if (state.Now - Served(candidate) > StarvedAfter &&
                (starved is null || Served(candidate) < Served(starved)))
            {
                starved = candidate;
            }
        }

        return assignments % FairTurn == FairTurn - 1 && starved is not null ? starved : best;
    }

    // Jobs come oldest first, so age decides by itself between equals.
    private bool IsBefore(TaskRun a, TaskRun b)
    {
        var (laneA, laneB) = (Lane(a), Lane(b));
        return laneA != laneB
            ? laneA < laneB
            : state.Speeds.RemainingPathSeconds(a.Spec) > state.Speeds.RemainingPathSeconds(b.Spec);
    }

    private static DateTimeOffset Served(TaskRun task) =>
        task.ReadySince > task.Job.LastServed ? task.ReadySince : task.Job.LastServed;

    private static int Lane(TaskRun task)
    {
        var ofJob = Math.Max(0, Array.IndexOf(Classes, task.Job.Record.Class));
        var bulk = task.Spec is { Kind: TaskKind.EncodeChunk, Chunk: > 0 };
        return bulk || ofJob == Classes.Length - 1 ? ofJob : 0;
    }
}
