using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>The nodes as a person may look at them.</summary>
internal static class NodesView
{
    public static ListNodesResponse Of(SchedulerState state)
    {
        var view = new ListNodesResponse();
        view.Nodes.Add(state.Workers.Values.Select(Describe));
        return view;
    }

    private static Node Describe(WorkerRun worker)
    {
        var node = new Node
        {
            NodeId = worker.NodeId,
            Connected = worker.Connected,
            Since = Timestamp.FromDateTimeOffset(worker.Since),
            Slots = worker.Slots,
            CpuLoad = worker.Load?.CpuLoad ?? 0,
            MemoryFreeBytes = worker.Load?.MemoryFreeBytes ?? 0,
            MemoryTotalBytes = worker.Load?.MemoryTotalBytes ?? 0,
            ScratchFreeBytes = worker.Load?.ScratchFreeBytes ?? 0,
        };
        node.Running.Add(worker.Attempts
            .Select(held => Describe(held.Key, held.Value.Task))
            .OrderBy(attempt => attempt.Since ?? new Timestamp())
            .ThenBy(attempt => attempt.Attempt.TaskId, StringComparer.Ordinal));
        return node;
    }

    private static NodeAttempt Describe(AttemptKey key, TaskRun? task)
    {
        var attempt = new NodeAttempt { Attempt = key.ToMessage() };
        if (task is null)
        {
            return attempt;
        }

        attempt.Kind = task.Spec.Kind;
        attempt.MediaId = task.Job.Record.MediaId;
        attempt.Class = Dispatcher.EffectiveClass(task);
        attempt.Since = Times.Of(task.Open(key.Attempt)?.StartedAtUnixMs ?? 0);
        if (task.Current == key.Attempt)
        {
            attempt.Fraction = task.Fraction;
            attempt.Speed = task.Speed;
        }

        return attempt;
    }
}
