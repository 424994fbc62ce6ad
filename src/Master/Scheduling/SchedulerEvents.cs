using Google.Protobuf;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What happens to the scheduler. Request, Session and Subscription are the shell's numbers.</summary>
internal abstract record SchedulerEvent;

/// <summary>First event of a mastership: everything that the coordinator holds.</summary>
internal sealed record Loaded(IReadOnlyList<JobRecord> Jobs, IReadOnlyList<TaskRecord> Tasks) : SchedulerEvent
{
    /// <summary>Revision at which the term began: higher in each, also under the same fence.</summary>
    public long TermRevision { get; init; }

    public IReadOnlyList<NodeRecord> Nodes { get; init; } = [];

    public IReadOnlyList<SettingValue> Settings { get; init; } = [];
}

/// <summary>Settings and rules of the cluster: those that changed, or all that there are below a prefix.</summary>
internal sealed record SettingsChanged(string? Prefix, IReadOnlyList<SettingValue> Values) : SchedulerEvent;

/// <summary>A key of the coordinator that workers follow; without a value it is gone.</summary>
internal sealed record SettingValue(string Key, ByteString? Value);

internal sealed record DrainOrdered(long Request, DrainRequest Order) : SchedulerEvent;

internal sealed record TranscodeOrdered(long Request, string NewJobId, TranscodeRequest Order) : SchedulerEvent;

internal sealed record TaskOrdered(long Request, string NewJobId, ScheduleTaskRequest Order) : SchedulerEvent;

internal sealed record AttemptReported(long Request, ReportStatusRequest Report) : SchedulerEvent;

internal sealed record RetryOrdered(long Request, string JobId) : SchedulerEvent;

internal sealed record CancelOrdered(long Request, string JobId) : SchedulerEvent;

internal sealed record ForgetOrdered(long Request, string MediaId) : SchedulerEvent;

internal sealed record JobAsked(long Request, string JobId) : SchedulerEvent;

internal sealed record TaskAsked(long Request, string JobId, string TaskId) : SchedulerEvent;

internal sealed record ScheduleAsked(long Request) : SchedulerEvent;

internal sealed record NodesAsked(long Request) : SchedulerEvent;

internal sealed record QueuesAsked(long Request) : SchedulerEvent;

internal sealed record WatchOpened(long Subscription, WatchJobRequest Watch) : SchedulerEvent;

internal sealed record WatchClosed(long Subscription) : SchedulerEvent;

internal sealed record WorkerJoined(long Session, WorkerHello Hello) : SchedulerEvent;

internal sealed record WorkerHeard(long Session, WorkerHeartbeat Heartbeat) : SchedulerEvent;

internal sealed record WorkerLeft(long Session) : SchedulerEvent;

/// <summary>The objects that no commit of the job names are gone.</summary>
internal sealed record Swept(string JobId) : SchedulerEvent;

/// <summary>Time has passed: <see cref="SchedulerCore.NextWake"/> was reached.</summary>
internal sealed record Ticked : SchedulerEvent;
