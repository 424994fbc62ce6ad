namespace Hexcast.Dashboard.Pages.Nodes;

/// <summary>The cluster at one moment.</summary>
public sealed record NodesView
{
    /// <summary>The node that is the master.</summary>
    public string Master { get; init; } = "";

    /// <summary>The fence of its mastership: it grows from one to the next.</summary>
    public long Term { get; init; }

    public DateTimeOffset MasterSince { get; init; }

    public IReadOnlyList<NodeView> Nodes { get; init; } = [];

    public IReadOnlyList<ClassView> Classes { get; init; } = [];

    public IReadOnlyList<JobView> Jobs { get; init; } = [];

    /// <summary>Also those that <see cref="Jobs"/> has no room for.</summary>
    public int UnfinishedJobs { get; init; }

    /// <summary>Why there is nothing to show; null when all is well.</summary>
    public string? Trouble { get; init; }
}

public sealed record NodeView
{
    public required string NodeId { get; init; }

    public bool Connected { get; init; }

    public DateTimeOffset Since { get; init; }

    /// <summary>A person has taken it out of use.</summary>
    public bool Draining { get; init; }

    /// <summary>When what it runs goes to others; only of one that drains.</summary>
    public DateTimeOffset? HandBackAt { get; init; }

    /// <summary>It stops by itself.</summary>
    public bool Leaving { get; init; }

    public string Zone { get; init; } = "";

    public IReadOnlyList<string> Codecs { get; init; } = [];

    /// <summary>That it serves; none: all.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    public int Slots { get; init; }

    public IReadOnlyList<RunningView> Running { get; init; } = [];

    /// <summary>The run queue's mean over a minute, a processor: 1 is fully busy.</summary>
    public double CpuLoad { get; init; }

    public long MemoryFreeBytes { get; init; }

    public long MemoryTotalBytes { get; init; }

    public long ScratchFreeBytes { get; init; }

    public double MemoryUsed =>
        MemoryTotalBytes == 0 ? 0 : Math.Clamp(1 - ((double)MemoryFreeBytes / MemoryTotalBytes), 0, 1);
}

/// <summary>A task on a node.</summary>
/// <param name="MediaId">Empty where the job is not known any more.</param>
/// <param name="Speed">Times realtime; 0 where it means nothing.</param>
/// <param name="Title">The media's, or its id.</param>
public sealed record RunningView(
    string Kind, string TaskId, string MediaId, string Title, double Fraction, double Speed);

public sealed record ClassView(string Name, int Jobs, int Waiting, int Running, double OldestWaitSeconds);

public sealed record JobView(string MediaId, string Title, int Tasks, int Done, int Running, int Retrying);
