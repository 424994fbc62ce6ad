using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;
using Enum = System.Enum;

namespace Hexcast.Master.Http;

/// <summary>Nodes and queues as the HTTP API shows them.</summary>
internal static class NodeJson
{
    public static JsonObject Describe(ListNodesResponse nodes) => new()
    {
        ["nodes"] = new JsonArray([.. nodes.Nodes.Select(node => (JsonNode)new JsonObject
        {
            ["node_id"] = node.NodeId,
            ["connected"] = node.Connected,
            ["since"] = Time(node.Since),
            ["slots"] = node.Slots,
            ["cpu_load"] = Math.Round(node.CpuLoad, 3),
            ["memory_free_bytes"] = node.MemoryFreeBytes,
            ["memory_total_bytes"] = node.MemoryTotalBytes,
            ["scratch_free_bytes"] = node.ScratchFreeBytes,
            ["running"] = new JsonArray([.. node.Running.Select(attempt => (JsonNode)Describe(attempt))]),
        })]),
    };

    public static JsonObject Describe(DescribeQueuesResponse queues) => new()
    {
        ["classes"] = new JsonArray([.. queues.Classes.Select(queue => (JsonNode)new JsonObject
        {
            ["class"] = queue.Class,
            ["jobs"] = queue.Jobs,
            ["ready"] = queue.Ready,
            ["running"] = queue.Running,
            ["oldest_wait_seconds"] = Math.Round(queue.OldestWaitSeconds, 1),
        })]),
        ["jobs"] = new JsonArray([.. queues.Jobs.Select(job => (JsonNode)new JsonObject
        {
            ["job_id"] = job.JobId,
            ["media_id"] = job.MediaId,
            ["class"] = job.Class,
            ["created_at"] = Time(job.CreatedAt),
            ["tasks"] = job.Tasks,
            ["ready"] = job.Ready,
            ["running"] = job.Running,
            ["committed"] = job.Committed,
            ["retrying"] = job.Retrying,
            ["ending"] = job.Ending,
        })]),
        ["unfinished_jobs"] = queues.UnfinishedJobs,
    };

    private static JsonObject Describe(NodeAttempt attempt) => new()
    {
        ["job_id"] = attempt.Attempt.JobId,
        ["task_id"] = attempt.Attempt.TaskId,
        ["attempt"] = attempt.Attempt.Attempt,
        ["kind"] = attempt.Kind == TaskKind.Unspecified ? null : Name(attempt.Kind),
        ["media_id"] = attempt.MediaId.Length == 0 ? null : attempt.MediaId,
        ["class"] = attempt.Class.Length == 0 ? null : attempt.Class,
        ["fraction"] = Math.Round(attempt.Fraction, 4),
        ["speed"] = Math.Round(attempt.Speed, 3),
        ["since"] = Time(attempt.Since),
    };

    private static string Name<TEnum>(TEnum member) where TEnum : struct, Enum =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(member.ToString());

    private static string? Time(Timestamp? time) =>
        time?.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
