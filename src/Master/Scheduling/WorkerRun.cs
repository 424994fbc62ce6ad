using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>A worker node, with or without a stream.</summary>
internal sealed class WorkerRun(string nodeId)
{
    public string NodeId { get; } = nodeId;

    /// <summary>The shell's number of the node's stream; 0: it has none.</summary>
    public long Session { get; set; }

    public int Slots { get; set; }

    public NodeLabels Labels { get; set; } = new();

    /// <summary>It stops, as it says itself.</summary>
    public bool Leaving { get; set; }

    /// <summary>When its stream has reached its age; after it, when the stream that was to follow is overdue.</summary>
    public DateTimeOffset? StreamEndsAt { get; set; }

    /// <summary>It was asked for another stream: what it is given now, its next hello might not name.</summary>
    public bool Retiring { get; set; }

    /// <summary>
    /// When the node counts as lost: with a stream, that long after its last word; without one, that long after it
    /// broke. Null: it is lost, and only here for what it may have left.
    /// </summary>
    public DateTimeOffset? LostAt { get; set; }

    public bool IsLost => LostAt is null;

    /// <summary>Known from records only: no stream of it was seen in this mastership.</summary>
    public bool OnlyRecorded { get; set; }

    /// <summary>Each takes a slot.</summary>
    public Dictionary<AttemptKey, HeldAttempt> Attempts { get; } = [];

    /// <summary>Since when it has been connected, or not.</summary>
    public DateTimeOffset Since { get; set; }

    /// <summary>How busy its machine is, as it said last; null before it did.</summary>
    public WorkerHeartbeat? Load { get; set; }

    public bool Connected => Session != 0;
}

/// <summary>An attempt that a worker holds. Without a task: claimed, but unknown here, and told to stop.</summary>
internal sealed class HeldAttempt(TaskRun? task)
{
    public TaskRun? Task { get; } = task;

    /// <summary>What it takes of the node.</summary>
    public Demand Demand { get; } = task is null ? default : Demand.Of(task);

    /// <summary>The worker has named it: once it no longer does, the attempt is over.</summary>
    public bool Named { get; set; }

    /// <summary>It was asked back, for its node is drained.</summary>
    public bool AskedBack { get; set; }
}
