using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>What was found on the disk.</summary>
/// <param name="HardState">The first copy; the second is in the <see cref="MemberFile"/>.</param>
/// <param name="Damage">Null: everything was read. Otherwise whatever lies from <paramref name="UnreadableFrom"/> on is
/// unknown, and is still on the disk until <see cref="WriteAheadLog.CutDamage"/>.</param>
internal sealed record RecoveredLog(
    HardState HardState,
    Snapshot? Snapshot,
    IReadOnlyList<Entry> Entries,
    int TornBytes,
    CoordinatorDataException? Damage = null,
    ulong UnreadableFrom = 0)
{
    public ulong LastIndex => Entries.Count > 0 ? Entries[^1].Index : Snapshot?.Index ?? 0;

    public ulong LastTerm => Entries.Count > 0 ? Entries[^1].Term : Snapshot?.Mark.Term ?? 0;
}
