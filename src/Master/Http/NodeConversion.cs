using System.Text.Json;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Http;

/// <summary>The scheduler's messages → what the HTTP API answers.</summary>
internal static class NodeConversion
{
    public static NodeListAnswer ToAnswer(this ListNodesResponse nodes) => new()
    {
        MasterNodeId = nodes.MasterNodeId,
        Fence = nodes.Fence,
        MasterSince = nodes.MasterSince?.ToDateTimeOffset(),
        Nodes =
        [
            .. nodes.Nodes.Select(node => new NodeAnswer
            {
                NodeId = node.NodeId,
                Connected = node.Connected,
                Since = node.Since?.ToDateTimeOffset(),
                Draining = node.Draining,
                HandBackAt = node.HandBackAt?.ToDateTimeOffset(),
                Leaving = node.Leaving,
                Zone = node.Labels?.Zone ?? "",
                Codecs = [.. node.Labels?.Codecs ?? []],
                Classes = [.. node.Labels?.Classes ?? []],
                Slots = node.Slots,
                CpuLoad = Math.Round(node.CpuLoad, 3),
                MemoryFreeBytes = node.MemoryFreeBytes,
                MemoryTotalBytes = node.MemoryTotalBytes,
                ScratchFreeBytes = node.ScratchFreeBytes,
                Running = [.. node.Running.Select(ToAnswer)],
            }),
        ],
    };

    public static QueuesAnswer ToAnswer(this DescribeQueuesResponse queues) => new()
    {
        Classes =
        [
            .. queues.Classes.Select(queue => new ClassQueueAnswer
            {
                Class = queue.Class,
                Jobs = queue.Jobs,
                Ready = queue.Ready,
                Running = queue.Running,
                OldestWaitSeconds = Math.Round(queue.OldestWaitSeconds, 1),
            }),
        ],
        Jobs =
        [
            .. queues.Jobs.Select(job => new QueuedJobAnswer
            {
                JobId = job.JobId,
                MediaId = job.MediaId,
                Class = job.Class,
                CreatedAt = job.CreatedAt?.ToDateTimeOffset(),
                Tasks = job.Tasks,
                Ready = job.Ready,
                Running = job.Running,
                Committed = job.Committed,
                Retrying = job.Retrying,
                Ending = job.Ending,
            }),
        ],
        UnfinishedJobs = queues.UnfinishedJobs,
    };

    private static RunningTaskAnswer ToAnswer(NodeAttempt running) => new()
    {
        JobId = running.Attempt.JobId,
        TaskId = running.Attempt.TaskId,
        Attempt = (int)running.Attempt.Attempt,
        Kind = running.Kind == TaskKind.Unspecified
            ? null : JsonNamingPolicy.SnakeCaseLower.ConvertName(running.Kind.ToString()),
        MediaId = running.MediaId.Length == 0 ? null : running.MediaId,
        Class = running.Class.Length == 0 ? null : running.Class,
        Fraction = Math.Round(running.Fraction, 4),
        Speed = Math.Round(running.Speed, 3),
        Since = running.Since?.ToDateTimeOffset(),
    };
}
