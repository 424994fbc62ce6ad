using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>The state as a snapshot holds it: the keys at the compacted revision, and every change since.</summary>
internal static class SnapshotContent
{
    public static readonly KeyRange EveryKey = KeyRange.Of(ByteString.CopyFrom(0), ByteString.CopyFrom(0));

    public static SnapshotState Of(StateMachine state) =>
        new SnapshotMaking(state, new SnapshotMark(0, 0, Members.None)).Advance(int.MaxValue)!.State;

    /// <summary>Fills an empty state machine. The leases' clocks are set when this member starts to lead.</summary>
    public static void Restore(StateMachine state, SnapshotState content)
    {
        foreach (var value in content.Base)
        {
            state.Store.RestoreBase(value);
        }
        state.Store.RestoreRevisions(content.Revision, content.CompactedRevision, content.History.Select(saved =>
            new RevisionChanges(saved.Revision,
                [.. saved.Changes.Select(change => new Change(change.Type, change.Kv, Previous: null))])));
        foreach (var lease in content.Leases)
        {
            state.Leases.Grant(lease.Id, lease.TtlSeconds, now: TimeSpan.Zero);
        }
        foreach (var member in content.Members)
        {
            state.Members[member.Id] = member;
        }
        var isWhole = true;
        Planted.Bend(CoordinatorFault.KeysForgetTheirLeaseInASnapshot, ref isWhole, to: false);
        foreach (var value in state.Store.Range(EveryKey, state.Store.Revision)
            .Where(value => value.Lease != 0 && isWhole))
        {
            state.Leases.Attach(value.Lease, value.Key);
        }
    }
}
