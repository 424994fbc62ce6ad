using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded;

/// <summary>The state as a snapshot holds it: the keys at the compacted revision, and every change since.</summary>
internal static class SnapshotContent
{
    private static readonly KeyRange EveryKey = KeyRange.Of(ByteString.CopyFrom(0), ByteString.CopyFrom(0));

    public static SnapshotState Of(StateMachine state)
    {
        var store = state.Store;
        var content = new SnapshotState
        {
            Revision = store.Revision,
            CompactedRevision = store.CompactedRevision,
        };
        content.Base.AddRange(store.Range(EveryKey, store.CompactedRevision));
        foreach (var revision in store.ChangesFrom(0))
        {
            var saved = new SavedRevision { Revision = revision.Revision };
            saved.Changes.AddRange(revision.Changes.Select(change =>
                new Event { Type = change.Type, Kv = change.Current }));
            content.History.Add(saved);
        }
        content.Leases.AddRange(state.Leases.All.Select(lease =>
            new SavedLease { Id = lease.Id, TtlSeconds = lease.Seconds }));
        content.Members.AddRange(state.Members.Values);
        return content;
    }

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
        foreach (var value in state.Store.Range(EveryKey, state.Store.Revision).Where(value => value.Lease != 0))
        {
            state.Leases.Attach(value.Lease, value.Key);
        }
    }
}
