using System.ComponentModel;

namespace Hexcast.Master.Http;

internal sealed record NodeListAnswer
{
    [Description("The node that is the master.")]
    public required string MasterNodeId { get; init; }

    [Description("Of its mastership: it grows from one to the next.")]
    public required long Fence { get; init; }

    [Description("Since when it acts.")]
    public required DateTimeOffset? MasterSince { get; init; }

    public required IReadOnlyList<NodeAnswer> Nodes { get; init; }
}

internal sealed record NodeAnswer
{
    public required string NodeId { get; init; }

    [Description("Whether its stream to the master is open.")]
    public required bool Connected { get; init; }

    [Description("Since when it has been connected, or not.")]
    public required DateTimeOffset? Since { get; init; }

    [Description("Whether a person has taken it out of use.")]
    public required bool Draining { get; init; }

    [Description("When what it runs is handed back; null unless it drains.")]
    public required DateTimeOffset? HandBackAt { get; init; }

    [Description("Whether it stops: it is assigned nothing, and leaves when it has nothing in hand.")]
    public required bool Leaving { get; init; }

    [Description("Where it stands, as its operator calls that.")]
    public required string Zone { get; init; }

    [Description("What it can encode.")]
    public required IReadOnlyList<string> Codecs { get; init; }

    [Description("The classes that it serves; none: all.")]
    public required IReadOnlyList<string> Classes { get; init; }

    [Description("Tasks that it runs at once.")]
    public required int Slots { get; init; }

    [Description("Of all its processors, 0 to 1.")]
    public required double CpuLoad { get; init; }
    public required long MemoryFreeBytes { get; init; }
    public required long MemoryTotalBytes { get; init; }
    public required long ScratchFreeBytes { get; init; }
    public required IReadOnlyList<RunningTaskAnswer> Running { get; init; }
}

internal sealed record DrainAnswer
{
    public required string NodeId { get; init; }
    public required bool Draining { get; init; }

    [Description("Tasks that it has in hand.")]
    public required int Running { get; init; }
}

internal sealed record RunningTaskAnswer
{
    public required string JobId { get; init; }
    public required string TaskId { get; init; }
    public required int Attempt { get; init; }

    [Description("Null, as the next two, where the master does not know the task any more.")]
    public required string? Kind { get; init; }
    public required string? MediaId { get; init; }
    public required string? Class { get; init; }

    [Description("0 to 1.")]
    public required double Fraction { get; init; }

    [Description("Times realtime while it encodes, otherwise 0.")]
    public required double Speed { get; init; }
    public required DateTimeOffset? Since { get; init; }
}

internal sealed record QueuesAnswer
{
    public required IReadOnlyList<ClassQueueAnswer> Classes { get; init; }

    [Description("The oldest, up to a limit.")]
    public required IReadOnlyList<QueuedJobAnswer> Jobs { get; init; }

    [Description("All of them.")]
    public required int UnfinishedJobs { get; init; }
}

internal sealed record ClassQueueAnswer
{
    public required string Class { get; init; }
    public required int Jobs { get; init; }

    [Description("Tasks that wait for a slot, by the class that they are served in.")]
    public required int Ready { get; init; }

    [Description("Tasks that run.")]
    public required int Running { get; init; }

    [Description("How long the oldest of those that wait has waited.")]
    public required double OldestWaitSeconds { get; init; }
}

internal sealed record QueuedJobAnswer
{
    public required string JobId { get; init; }
    public required string MediaId { get; init; }
    public required string Class { get; init; }
    public required DateTimeOffset? CreatedAt { get; init; }
    public required int Tasks { get; init; }
    public required int Ready { get; init; }
    public required int Running { get; init; }
    public required int Committed { get; init; }

    [Description("Tasks that wait before their next attempt.")]
    public required int Retrying { get; init; }

    [Description("Whether it only cleans up what failed or was cancelled.")]
    public required bool Ending { get; init; }
}
