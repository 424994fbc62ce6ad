using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Mvcc;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// A snapshot of the state as it was when this began, collected in pieces while the state goes on changing: all at
/// once, a million keys would hold up the leader's heartbeats. What it consists of does not change any more: the keys
/// at the compacted revision, which the store keeps for it, and the changes since.
/// </summary>
internal sealed class SnapshotMaking
{
    private readonly MvccStore _store;
    private readonly SnapshotMark _mark;
    private readonly SnapshotState _content;
    private readonly RevisionChanges[] _history;
    private readonly List<KeyValue> _base = [];
    private ByteString? _next = MvccStore.FirstKey;
    private int _told;

    public SnapshotMaking(StateMachine state, SnapshotMark mark)
    {
        (_store, _mark) = (state.Store, mark);
        _store.KeptFrom = _store.CompactedRevision;
        _history = _store.ChangesFrom(_store.CompactedRevision).ToArray();
        _content = new SnapshotState
        {
            Revision = _store.Revision,
            CompactedRevision = _store.CompactedRevision,
            Voters = ByteString.CopyFrom(mark.Members.Encode()),
        };
        _content.Leases.AddRange(state.Leases.All.Select(lease =>
            new SavedLease { Id = lease.Id, TtlSeconds = lease.Seconds }));
        _content.Members.AddRange(state.Members.Values);
    }

    /// <summary>Goes on with at least so many keys and changes, if so many are left.</summary>
    /// <returns>The snapshot, once it is whole.</returns>
    public Snapshot? Advance(int pieces)
    {
        if (_next is { } from)
        {
            _next = _store.Base(from, _content.CompactedRevision, pieces, _base);
            if (_next is not null)
            {
                return null;
            }
            _store.KeptFrom = null;
            _content.Base.AddRange(_base);
        }
        for (; _told < _history.Length && pieces > 0; _told++)
        {
            var revision = _history[_told];
            var saved = new SavedRevision { Revision = revision.Revision };
            saved.Changes.AddRange(revision.Changes.Select(change =>
                new Event { Type = change.Type, Kv = change.Current }));
            _content.History.Add(saved);
            pieces -= revision.Changes.Count;
        }
        return _told == _history.Length ? new Snapshot(_mark, _content) : null;
    }
}
