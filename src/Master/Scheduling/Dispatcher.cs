using Hexcast.Contracts;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// Which task runs next; <see cref="Placement"/> says where. Priority is class, then the tenant's share, then the
/// longest remaining path, then age. In class low_latency are, of every job but background ones, the tasks that are
/// short and that others or a viewer wait for: all but the chunks after the first. What no node can take now is passed
/// over. Nothing starves: every eighth assignment goes to the job that was served longest ago, if that is long.
/// </summary>
internal sealed class Dispatcher(
    SchedulerState state, AttemptLedger attempts, ReadyQueue queue, TenantShares shares)
{
    private const int FairTurn = 8;

    /// <summary>Different demands that are tried in a step; what lies behind them waits for the next.</summary>
    private const int RefusedLimit = 64;

    /// <summary>Rows that are looked at in vain before what lies behind them waits for the next step.</summary>
    private const int PassedLimit = 1_024;

    /// <summary>Tasks of one job that are tried.</summary>
    private const int LookaheadLimit = 8;

    private static readonly TimeSpan StarvedAfter = TimeSpan.FromSeconds(30);
    private static readonly string[] Classes = [.. TaskClass.All];

    private long assignments;

    /// <summary>The class of that name, always the same object: a million jobs may name one. Null: there is none.
    /// </summary>
    public static string? ClassOf(string name) => Classes.FirstOrDefault(known => known == name);

    public static string ClassNames => string.Join(", ", Classes);

    /// <summary>The first served first.</summary>
    public static IReadOnlyList<string> AllClasses => Classes;

    /// <summary>The class that a task is served in.</summary>
    public static string EffectiveClass(TaskRun task) => Classes[Lane(task)];

    public void Run()
    {
        // What no node can take now, none can a moment later in the same step: they only get fuller.
        var refused = new HashSet<Demand>();
        queue.Refresh();
        while (state.Workers.Values.Any(w => state.FreeSlots(w) > 0) && Next(refused) is var (task, worker, inTurn))
        {
            assignments++;
            shares.Charge(Lane(task), task.Job.Tenant, state.Speeds.Seconds(task), inTurn);
            attempts.Assign(task, worker, EffectiveClass(task));
            queue.Refresh();
        }
    }

    /// <summary>That it was ordered in.</summary>
    public static int LaneOf(JobRun job) => Math.Max(0, Array.IndexOf(Classes, job.Record.Class));

    public static int Lane(TaskRun task)
    {
        var ofJob = LaneOf(task.Job);
        var bulk = task.Job.IsOneTask || task.Spec is { Kind: TaskKind.EncodeChunk, Chunk: > 0 };
        return bulk || ofJob == Classes.Length - 1 ? ofJob : 0;
    }

    private (TaskRun Task, WorkerRun Worker, bool InTurn)? Next(HashSet<Demand> refused)
    {
        if (assignments % FairTurn == FairTurn - 1 && queue.LongestUnserved is { } starved &&
            state.Now - starved.Queued!.Served > StarvedAfter && Place(starved, refused) is { } served)
        {
            return (served.Task, served.Worker, InTurn: false);
        }

        var passed = 0;
        foreach (var row in queue.InOrder(IsServed))
        {
            if (!(row.Demand is { } demand && refused.Contains(demand)) && Place(row.First, refused) is { } placed)
            {
                return (placed.Task, placed.Worker, InTurn: true);
            }

            if (refused.Count >= RefusedLimit || ++passed >= PassedLimit)
            {
                break;
            }
        }

        return null;
    }

    // By a node that has room.
    private bool IsServed(int lane) => state.Workers.Values.Any(worker =>
        state.FreeSlots(worker) > 0 && Placement.Serves(worker, Classes[lane]));

    // Its first task, or one of those behind it, if that asks for something else.
    private (TaskRun Task, WorkerRun Worker)? Place(JobRun job, HashSet<Demand> refused)
    {
        foreach (var task in job.Ready.Take(LookaheadLimit))
        {
            var demand = Demand.Of(task);
            if (refused.Contains(demand))
            {
                continue;
            }

            if (Placement.Choose(state, task, demand) is { } worker)
            {
                return (task, worker);
            }

            refused.Add(demand);
        }

        return null;
    }
}
