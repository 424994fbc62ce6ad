using Hexcast.Contracts.V1;

namespace Hexcast.Worker;

/// <summary>What this node is to the master.</summary>
internal sealed record WorkerProfile(string NodeId, int Slots, NodeLabels Labels)
{
    public const int SlotLimit = 1_024;
}
