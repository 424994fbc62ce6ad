using Hexcast.App.Client;
using static System.FormattableString;

namespace Hexcast.App.Cli;

/// <summary>How nodes and queues look to a person.</summary>
internal static class ClusterTables
{
    public static void Nodes(Output output, NodesDocument document, DateTimeOffset now)
    {
        var nodes = document.Nodes;
        if (document is { MasterNodeId: { Length: > 0 } master, Fence: { } fence })
        {
            output.Say(Invariant($"{master} is the master, under fence {fence}."));
        }

        if (nodes.Count == 0)
        {
            output.Say("No node runs tasks. Start one: ./hexcast serve");
            return;
        }

        var table = new Columns("node", "state", "for", "slots", "load", "memory free", "scratch free");
        foreach (var node in nodes)
        {
            table.Add(node.NodeId, State(node), Age(node.Since, now),
                Invariant($"{node.Running.Count} of {node.Slots}"), Invariant($"{node.CpuLoad * 100:0} %"),
                Invariant($"{MediaTables.Bytes(node.MemoryFreeBytes)} of {MediaTables.Bytes(node.MemoryTotalBytes)}"),
                MediaTables.Bytes(node.ScratchFreeBytes));
        }

        output.Words.Write(table);
        var running = nodes
            .SelectMany(node => node.Running, (node, attempt) => (node.NodeId, Attempt: attempt)).ToList();
        if (running.Count == 0)
        {
            return;
        }

        table = new Columns("node", "media", "task", "attempt", "class", "done", "speed", "for");
        foreach (var (nodeId, attempt) in running)
        {
            table.Add(nodeId, attempt.MediaId ?? "", attempt.TaskId, Invariant($"{attempt.Attempt}"),
                attempt.Class ?? "", Invariant($"{attempt.Fraction * 100:0} %"),
                attempt.Speed > 0 ? Invariant($"{attempt.Speed:0.0} ×") : "", Age(attempt.Since, now));
        }

        output.Words.Write(table);
    }

    /// <summary>drained: out of use, and nothing more in hand.</summary>
    public static string State(NodeFacts node) =>
        node is { Draining: true, Running.Count: 0 } ? "drained"
        : node.Draining ? "draining"
        : node.Leaving ? "leaving"
        : node.Connected ? "connected" : "lost";

    public static void Queues(Output output, QueuesDocument queues, DateTimeOffset now)
    {
        var table = new Columns("class", "jobs", "ready", "running", "oldest waits");
        foreach (var queue in queues.Classes)
        {
            table.Add(queue.Class, Invariant($"{queue.Jobs}"), Invariant($"{queue.Ready}"),
                Invariant($"{queue.Running}"), queue.Ready > 0 ? Invariant($"{queue.OldestWaitSeconds:0.0} s") : "");
        }

        output.Words.Write(table);
        if (queues.Jobs.Count == 0)
        {
            output.Say("No job is unfinished.");
            return;
        }

        table = new Columns("job", "media", "class", "for", "tasks", "ready", "running", "retrying", "done");
        foreach (var job in queues.Jobs)
        {
            table.Add(job.JobId, job.MediaId, job.Class, Age(job.CreatedAt, now),
                Invariant($"{job.Tasks}"), Invariant($"{job.Ready}"), Invariant($"{job.Running}"),
                Invariant($"{job.Retrying}"), Invariant($"{job.Committed}"));
        }

        output.Words.Write(table);
        if (queues.UnfinishedJobs > queues.Jobs.Count)
        {
            output.Say(Invariant($"The oldest {queues.Jobs.Count} of {queues.UnfinishedJobs}."));
        }
    }

    private static string Age(DateTimeOffset? since, DateTimeOffset now)
    {
        if (since is not { } from)
        {
            return "";
        }

        var age = now > from ? now - from : TimeSpan.Zero;
        return age.TotalDays >= 1 ? Invariant($"{age.TotalDays:0.0} days")
            : age.TotalMinutes >= 1 ? Invariant($"{age:hh\\:mm\\:ss}")
            : Invariant($"{age.TotalSeconds:0} s");
    }
}
