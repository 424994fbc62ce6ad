using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// Nodes that a person has taken out of use. A drained node is assigned nothing; what it still runs after a time it is
/// asked to hand back. Durable, so that every master knows.
/// </summary>
internal sealed class DrainedNodes(SchedulerState state, JobLifecycle jobs, SyncBoard board)
{
    private static readonly TimeSpan HandBackLimit = TimeSpan.FromDays(1);

    public void Load(IEnumerable<NodeRecord> records)
    {
        foreach (var record in records)
        {
            state.Drained[record.NodeId] = record;
            Show(record.NodeId, record);
        }
    }

    public void Order(DrainOrdered ordered)
    {
        var order = ordered.Order;
        var worker = state.Workers.GetValueOrDefault(order.NodeId);
        if (worker is null && !state.Drained.ContainsKey(order.NodeId))
        {
            state.ConfirmMastership();
            state.Emit(new Refuse(ordered.Request, ErrorCodes.NotFound,
                $"There is no node '{order.NodeId}'. There are: {string.Join(", ", state.Workers.Keys)}."));
            return;
        }

        if (order.HandBackAfterSeconds < 0 || order.HandBackAfterSeconds > HandBackLimit.TotalSeconds)
        {
            state.Emit(new Refuse(ordered.Request, ErrorCodes.InvalidArgument,
                $"What a node runs is handed back after 0 to {HandBackLimit.TotalSeconds} s."));
            return;
        }

        if (order.Undo)
        {
            Undo(order.NodeId);
        }
        else
        {
            Drain(order);
        }

        state.Emit(new Answer(ordered.Request, new DrainResponse { Running = worker?.Attempts.Count ?? 0 }));
    }

    /// <summary>The worker of a new stream may not know.</summary>
    public void Greet(WorkerRun worker)
    {
        if (state.IsDrained(worker))
        {
            Tell(worker, draining: true);
        }
    }

    public DateTimeOffset? NextHandBack() => state.Drained.Values.Select(HandBackAt)
        .Where(at => at > state.Now).Select(at => (DateTimeOffset?)at).Min();

    /// <summary>Asks, once a stream, for what should be over by now. What is done before it is stopped still counts.
    /// </summary>
    public void HandBackOverdue()
    {
        foreach (var record in state.Drained.Values.Where(r => HandBackAt(r) <= state.Now))
        {
            if (state.Workers.GetValueOrDefault(record.NodeId) is not { Connected: true } worker)
            {
                continue;
            }

            foreach (var (key, held) in worker.Attempts.Where(a => !a.Value.AskedBack))
            {
                held.AskedBack = true;
                state.ConfirmMastership();
                jobs.Stop(worker, key, "its node is drained");
            }
        }
    }

    private void Drain(DrainRequest order)
    {
        var after = order.HandBackAfterSeconds > 0
            ? TimeSpan.FromSeconds(order.HandBackAfterSeconds)
            : state.Options.DrainHandBackAfter;
        var known = state.Drained.GetValueOrDefault(order.NodeId);
        var record = new NodeRecord
        {
            NodeId = order.NodeId,
            DrainedAtUnixMs = known?.DrainedAtUnixMs ?? state.Now.ToUnixTimeMilliseconds(),
            HandBackAtUnixMs = (state.Now + after).ToUnixTimeMilliseconds(),
            // As it is written: what workers are shown now is what the next master shows them.
            Fence = state.Fence,
        };
        state.Drained[order.NodeId] = record;
        var isDurable = true;
        Planted.Bend(MasterFault.DrainNotDurable, ref isDurable, to: false);
        if (isDurable)
        {
            state.Persist(RecordWrite.Of(record));
        }

        Show(order.NodeId, record);
        if (known is null)
        {
            state.Emit(new Note($"node {order.NodeId} is drained; what it runs is handed back after {after}"));
            Tell(order.NodeId, draining: true);
        }
    }

    private void Undo(string nodeId)
    {
        if (!state.Drained.Remove(nodeId))
        {
            return;
        }

        state.Persist(new RecordWrite(RecordWrite.NodeKey(nodeId), null));
        Show(nodeId, null);
        state.Emit(new Note($"node {nodeId} is in use again"));
        Tell(nodeId, draining: false);
    }

    private void Show(string nodeId, NodeRecord? record) =>
        board.Change(RecordWrite.NodeKey(nodeId), record?.ToByteString());

    private void Tell(string nodeId, bool draining)
    {
        if (state.Workers.GetValueOrDefault(nodeId) is { Connected: true } worker)
        {
            Tell(worker, draining);
        }
    }

    private void Tell(WorkerRun worker, bool draining) =>
        state.Emit(new Send(worker.Session, new MasterMessage { Drain = new DrainNotice { Draining = draining } }));

    private static DateTimeOffset HandBackAt(NodeRecord record) =>
        DateTimeOffset.FromUnixTimeMilliseconds(record.HandBackAtUnixMs);
}
