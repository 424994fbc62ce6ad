using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>The state after applying every entry up to its mark.</summary>
internal sealed record Snapshot(SnapshotMark Mark, SnapshotState State)
{
    public ulong Index => Mark.Index;
}
