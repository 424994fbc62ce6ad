using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Platform.Cluster;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>
/// A group that goes on with one of its members alone: what that one has on its disk then. All of its log counts, also
/// what the old group may not have committed, for nobody is left to tell. The group and the member get new ids: what is
/// left of the old one takes it for a stranger, and it them.
/// </summary>
/// <param name="Snapshot">In place of its log and of what was in it.</param>
internal sealed record GroupOfOne(MemberRecord Member, HardState HardState, Snapshot Snapshot)
{
    /// <summary>Others may remember revisions that this member never saw: as fences, and as the place up to which they
    /// have followed. None of these may come again. A day at a hundred a second is less.</summary>
    public const long RevisionsAhead = 10_000_000;

    /// <param name="id">Of no member before.</param>
    /// <param name="group">Of no group before.</param>
    /// <param name="shutOut">Nodes whose certificates are to count no more.</param>
    public static GroupOfOne Of(
        RecoveredLog log, MemberRecord? member, ulong id, ulong group, IEnumerable<string> shutOut)
    {
        var state = StateOf(log);
        foreach (var node in shutOut)
        {
            var removed = new PutRequest { Key = ByteString.CopyFromUtf8(RemovedNodes.KeyPrefix + node) };
            state.Apply(new Command { Put = removed }, TimeSpan.Zero, _ => { });
        }
        var term = 1 + TermOf(log, member);
        var mark = new SnapshotMark(log.LastIndex + 1, term, Members.Of([id]));
        var revision = state.Store.Revision + RevisionsAhead;
        var content = new SnapshotState
        {
            Revision = revision,
            CompactedRevision = revision,
            Voters = ByteString.CopyFrom(mark.Members.Encode()),
        };
        content.Base.AddRange(state.Store.Range(SnapshotContent.EveryKey, state.Store.Revision));
        content.Leases.AddRange(state.Leases.All.Select(lease =>
            new SavedLease { Id = lease.Id, TtlSeconds = lease.Seconds }));
        // Nothing is owed to anybody any more.
        var hardState = new HardState(term, id, Recovering: false);
        var record = new MemberRecord { Id = id, Group = group, Founded = true, HardState = hardState.ToSaved() };
        return new GroupOfOne(record, hardState, new Snapshot(mark, content));
    }

    /// <summary>After the last entry.</summary>
    /// <exception cref="CoordinatorDataException">Another version wrote it.</exception>
    public static StateMachine StateOf(RecoveredLog log)
    {
        var state = Recovery.Of(log, default, Members.None).State;
        foreach (var entry in log.Entries.Where(entry => entry.Kind != EntryKind.Membership))
        {
            state.Apply(Command.Parser.ParseFrom(entry.Payload.Span), TimeSpan.Zero, _ => { });
        }
        return state;
    }

    /// <summary>Who belongs to the group at the end of the log; none: it does not say.</summary>
    public static Members MembersOf(RecoveredLog log) =>
        new RaftLog(log.Snapshot?.Mark ?? SnapshotMark.Start(Members.None), log.Entries).Members;

    /// <summary>The highest that it has heard of.</summary>
    private static ulong TermOf(RecoveredLog log, MemberRecord? member) =>
        new[] { log.HardState.Term, HardStates.Of(member?.HardState).Term, log.LastTerm }.Max();
}
