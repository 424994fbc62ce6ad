using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>The nodes as a person may look at them.</summary>
internal static class NodesView
{
    public static ListNodesResponse Of(SchedulerState state)
    {
        var view = new ListNodesResponse
        {
            Fence = state.Fence,
            MasterSince = Timestamp.FromDateTimeOffset(state.Since),
            MasterNodeId = state.NodeId,
        };
        view.Nodes.Add(state.Workers.Values.Select(Describe));
        // A node stays drained while it is away: so people see why it is given nothing when it is back.
        view.Nodes.Add(state.Drained.Values.Where(r => !state.Workers.ContainsKey(r.NodeId)).Select(r => new Node
        {
            NodeId = r.NodeId, Since = Times.Of(r.DrainedAtUnixMs),
        }));
        foreach (var node in view.Nodes)
        {
            node.Draining = state.Drained.TryGetValue(node.NodeId, out var record);
            node.HandBackAt = Times.Of(record?.HandBackAtUnixMs ?? 0);
        }

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
            Labels = worker.Labels,
            Leaving = worker.Leaving,
            CpuLoad = worker.Load?.CpuLoad ?? 0,
            MemoryFreeBytes = worker.Load?.MemoryFreeBytes ?? 0,
            MemoryTotalBytes = worker.Load?.MemoryTotalBytes ?? 0,
            ScratchFreeBytes = worker.Load?.ScratchFreeBytes ?? 0,
        };
        // What a lost node holds is open, but nobody knows that it runs.
        node.Running.Add(worker.Attempts.Where(_ => !worker.IsLost)
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
