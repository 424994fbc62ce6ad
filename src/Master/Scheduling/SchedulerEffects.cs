using Google.Protobuf;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// What the scheduler wants done. The shell executes effects strictly in order, and a <see cref="Persist"/> is a
/// barrier: nothing behind it happens before it is durable. So the core may run ahead of the disk, and yet nobody
/// hears of anything that a crash could take back (I1).
/// </summary>
internal abstract record SchedulerEffect;

/// <summary>Writes that become durable together, none to two; none only asks whether the fence still holds.</summary>
internal sealed record Persist(IReadOnlyList<RecordWrite> Writes) : SchedulerEffect;

internal sealed record Answer(long Request, IMessage Message) : SchedulerEffect;

internal sealed record Refuse(long Request, string Code, string Words) : SchedulerEffect;

internal sealed record Send(long Session, MasterMessage Message) : SchedulerEffect;

internal sealed record DropWorker(long Session, string Reason) : SchedulerEffect;

internal sealed record Feed(long Subscription, IReadOnlyList<JobEvent> Events) : SchedulerEffect;

/// <summary>A watch is over; with a code when it failed.</summary>
internal sealed record EndFeed(long Subscription, string? Code, string? Words) : SchedulerEffect;

/// <summary>Remove every object that attempts without a commit may have left: all below these prefixes.</summary>
internal sealed record Sweep(string JobId, IReadOnlyList<string> Prefixes) : SchedulerEffect;

/// <summary>A line of the log, and the job that it is about.</summary>
/// <param name="IsDetail">Said thousands of times a second where tasks are short: only whoever looks for a fault wants
/// it.</param>
/// <param name="IsWarning">Somebody has to put something right.</param>
internal sealed record Note(string Words, JobRecord? Job = null, bool IsDetail = false, bool IsWarning = false)
    : SchedulerEffect;

/// <summary>Said for metrics and traces only: nothing follows from it.</summary>
internal abstract record Measure : SchedulerEffect;

/// <summary>The job has its final state.</summary>
internal sealed record JobOver(JobRecord Job) : Measure;

/// <summary>Nothing was heard of the node for too long: its tasks go to others.</summary>
internal sealed record WorkerGivenUp(string NodeId) : Measure;

/// <summary>One record of the coordinator; without a value it is deleted.</summary>
internal sealed record RecordWrite(string Key, IMessage? Value)
{
    public const string Prefix = "/hexcast/jobs/";

    public const string NodePrefix = "/hexcast/nodes/";

    public static RecordWrite Of(JobRecord job) => new(JobKey(job.JobId), job.Clone());

    public static RecordWrite Of(TaskRecord task) => new(TaskKey(task.JobId, task.TaskId), task.Clone());

    public static RecordWrite Of(NodeRecord node) => new(NodeKey(node.NodeId), node.Clone());

    /// <summary>Says in the record who wrote it.</summary>
    public void Sign(long fence)
    {
        switch (Value)
        {
            case JobRecord job:
                job.Fence = fence;
                break;
            case TaskRecord task:
                task.Fence = fence;
                break;
            case NodeRecord node:
                node.Fence = fence;
                break;
        }
    }

    public static string NodeKey(string nodeId) => $"{NodePrefix}{nodeId}";

    public static string JobKey(string jobId) => $"{Prefix}{jobId}";

    public static string TaskKey(string jobId, string taskId) => $"{Prefix}{jobId}/tasks/{taskId}";
}
