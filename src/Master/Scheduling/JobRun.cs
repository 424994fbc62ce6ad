using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;

namespace Hexcast.Master.Scheduling;

/// <summary>A job: its durable record, its tasks, and what the scheduler holds of it in memory.</summary>
internal sealed class JobRun
{
    /// <summary>Whose last failure is told whole; those of the others without their logs.</summary>
    private const int WholeFailureLimit = 64;

    private readonly SortedSet<TaskRun> ready = new(Comparer<TaskRun>.Create((a, b) => a.Spec.Rank - b.Spec.Rank));
    private readonly Dictionary<string, TaskRun> byId = new(StringComparer.Ordinal);

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

    public List<TaskRun> Tasks { get; } = [];

    /// <summary>Could run now, first in rank first. Empty while the job ends.</summary>
    public IReadOnlySet<TaskRun> Ready => ready;

    public TaskRun? FirstReady => ready.Min;

    /// <summary>Where the job stands in the queue, if it does.</summary>
    public QueueKey? Queued { get; set; }

    /// <summary>Jobs whose place in the queue is to be found anew; null while the scheduler does not have this one.
    /// </summary>
    public HashSet<JobRun>? Stale { get; set; }

    /// <summary>Of the tasks that are committed; null before the first.</summary>
    public double? ChunkSpeed { get; set; }

    /// <summary>Nodes that have worked on it: its source is warm there.</summary>
    public HashSet<string> Nodes { get; } = new(StringComparer.Ordinal);

    public PlanFigures Figures { get; private set; } = PlanFigures.Of(null);

    /// <summary>Tasks with attempts that are not known to be over.</summary>
    public HashSet<TaskRun> Open { get; } = [];

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
    public List<long> Forgetting { get; } = [];

    public List<Subscription> Watches { get; } = [];

    /// <summary>Tasks whose standing watchers have not heard of.</summary>
    public HashSet<TaskRun> Changed { get; } = [];

    public bool Ended => Record.State != JobState.Running;

    /// <summary>Neither ended nor about to: attempts may start and commit.</summary>
    public bool Active => Record.Ending is null;

    public string Id => Record.JobId;

    public void AddReady(TaskRun task)
    {
        ready.Add(task);
        Stale?.Add(this);
    }

    public void RemoveReady(TaskRun task)
    {
        ready.Remove(task);
        Stale?.Add(this);
    }

    public void ClearReady()
    {
        ready.Clear();
        Stale?.Add(this);
    }

    public TaskRun? Find(string taskId) => byId.GetValueOrDefault(taskId);

    /// <summary>Adds the tasks that the plan asks for.</summary>
    public void Expand()
    {
        Figures = PlanFigures.Of(Record.Plan);
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
        byId.Add(spec.Id, task);
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
