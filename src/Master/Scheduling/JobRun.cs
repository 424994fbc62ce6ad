using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;

namespace Hexcast.Master.Scheduling;

/// <summary>A job: its durable record, its tasks, and what the scheduler holds of it in memory.</summary>
internal sealed class JobRun
{
    /// <summary>Whose last failure is told whole; those of the others without their logs.</summary>
    private const int WholeFailureLimit = 64;

    private static readonly Comparer<TaskRun> ByRank =
        Comparer<TaskRun>.Create((a, b) => a.Spec.Rank - b.Spec.Rank);

    private readonly SortedSet<TaskRun> ready = new(ByRank);

    /// <summary>All but the first; null while there is no other. A million jobs may wait with one task each, so what
    /// few of them need is made when it is needed.</summary>
    private Dictionary<string, TaskRun>? others;
    private HashSet<string>? nodes;
    private List<Subscription>? watches;

    public JobRun(JobRecord record)
    {
        Record = record;
        Tenant = record.Tenant.Length == 0 ? Principal.DefaultTenant : record.Tenant;
        Add(record.Only is { } only ? JobGraph.Only(only) : JobGraph.Probe);
        if (record.Plan is not null)
        {
            Expand();
        }
    }

    public JobRecord Record { get; }

    public string Tenant { get; }

    /// <summary>It has one task, which somebody else has laid out.</summary>
    public bool IsOneTask => Record.Only is not null;

    public List<TaskRun> Tasks { get; } = new(1);

    /// <summary>Could run now, first in rank first. Empty while the job ends.</summary>
    public IReadOnlySet<TaskRun> Ready => ready;

    public TaskRun? FirstReady => ready.Min;

    /// <summary>Where the job stands in the queue, if it does.</summary>
    public QueueKey? Queued { get; set; }

    /// <summary>Jobs whose place in the queue is to be found anew; null while the scheduler does not have this one.
    /// </summary>
    public HashSet<JobRun>? Stale { get; set; }

    /// <summary>What waits and runs of all jobs; null while the scheduler does not have this one.</summary>
    public QueueCounts? Counts { get; set; }

    /// <summary>Of the tasks that are committed; null before the first.</summary>
    public double? ChunkSpeed { get; set; }

    /// <summary>A node that has worked on it: its source is warm there.</summary>
    public bool HasWorkedOnIt(string nodeId) => nodes?.Contains(nodeId) == true;

    public void NoteWork(string nodeId) => (nodes ??= new(StringComparer.Ordinal)).Add(nodeId);

    public PlanFigures Figures { get; private set; } = PlanFigures.Of(null);

    /// <summary>Tasks with attempts that are not known to be over.</summary>
    public HashSet<TaskRun> Open => field ??= [];

    /// <summary>Tasks that a worker has.</summary>
    public int Running { get; private set; }

    /// <summary>Tasks that wait after a failure for their next attempt.</summary>
    public int Retrying { get; set; }

    /// <summary>The highest revision given to an event of the job.</summary>
    public long Revision { get; set; }

    /// <summary>Objects are being removed: no attempt may start, it would lose its own.</summary>
    public bool Sweeping
    {
        get;
        set
        {
            field = value;
            Stale?.Add(this);
        }
    }

    public DateTimeOffset LastServed
    {
        get;
        set
        {
            field = value;
            Stale?.Add(this);
        }
    }

    /// <summary>Who waits for the job to be forgotten.</summary>
    public List<long> Forgetting => field ??= [];

    public List<Subscription> Watches => watches ??= [];

    public bool IsWatched => watches is { Count: > 0 };

    /// <summary>Tasks whose standing watchers have not heard of.</summary>
    public HashSet<TaskRun> Changed => field ??= [];

    public bool Ended => Record.State != JobState.Running;

    /// <summary>Neither ended nor about to: attempts may start and commit.</summary>
    public bool Active => Record.Ending is null;

    public string Id => Record.JobId;

    /// <summary>It is so from now on.</summary>
    public void AddReady(TaskRun task)
    {
        if (ready.Add(task))
        {
            Counts?.Join(task);
        }

        Stale?.Add(this);
    }

    public void RemoveReady(TaskRun task)
    {
        if (ready.Remove(task))
        {
            Counts?.Leave(task);
        }

        Stale?.Add(this);
    }

    public void ClearReady()
    {
        foreach (var task in ready)
        {
            Counts?.Leave(task);
        }

        ready.Clear();
        Stale?.Add(this);
    }

    public void CountRunning(TaskRun task, int by)
    {
        Running += by;
        Counts?.CountRunning(task, by);
    }

    public TaskRun? Find(string taskId) =>
        Tasks[0].Spec.Id == taskId ? Tasks[0] : others?.GetValueOrDefault(taskId);

    /// <summary>Adds the tasks that the plan asks for.</summary>
    public void Expand()
    {
        Figures = PlanFigures.Of(Record.Plan);
        others = new(StringComparer.Ordinal);
        foreach (var spec in JobGraph.Expand(Record.Plan))
        {
            Add(spec);
        }
    }

    /// <summary>Ready as far as the graph goes: all that the task needs is committed.</summary>
    public bool Unblocked(TaskRun task) => task.Spec.Kind switch
    {
        TaskKind.Publish => UncommittedParts == 0,
        TaskKind.Storyboard => UncommittedChunks == 0,
        _ => true,
    };

    /// <summary>Tasks that the publish task still waits for.</summary>
    public int UncommittedParts { get; private set; }

    /// <summary>Tasks that the storyboard still waits for.</summary>
    public int UncommittedChunks { get; private set; }

    /// <summary>Tasks that the job still waits for.</summary>
    public int Uncommitted { get; private set; }

    public void CountCommit(TaskRun task) => Count(task.Spec.Kind, -1);

    public Job ToMessage()
    {
        var message = new Job
        {
            JobId = Id,
            MediaId = Record.MediaId,
            Version = Id,
            PresetName = Record.PresetName,
            State = Record.State,
            Failure = Record.Ending?.Failure,
            CreatedAt = Times.Of(Record.CreatedAtUnixMs),
        };
        var whole = Tasks.Where(t => t.Record.LastFailure is not null).OrderBy(t => t.Committed)
            .Take(WholeFailureLimit).ToHashSet();
        message.Tasks.Add(Tasks.Select(t => whole.Contains(t) ? t.ToMessage() : t.ToBriefMessage()));
        return message;
    }

    private void Add(TaskSpec spec)
    {
        var task = new TaskRun(this, spec);
        others?.Add(spec.Id, task);
        Tasks.Add(task);
        Count(spec.Kind, 1);
    }

    private void Count(TaskKind kind, int by)
    {
        Uncommitted += by;
        UncommittedParts += JobGraph.IsPart(kind) ? by : 0;
        UncommittedChunks += kind == TaskKind.EncodeChunk ? by : 0;
    }
}
