using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>Does what the consensus core asks of its disk: the log, and the member file beside it. Not thread-safe.
/// </summary>
internal sealed class DurableLog(IDisk disk, WriteAheadLog log, MemberRecord member, bool isDamaged) : IDisposable
{
    private bool _isDamaged = isDamaged;

    /// <summary>All of these with one fsync. What a later one takes back is not written.</summary>
    /// <returns>False if the disk is full. It may be tried again, with more behind it: writing an entry twice is as
    /// good as once.</returns>
    public bool TryPersist(IEnumerable<RaftEffect.Persist> writes)
    {
        HardState? hardState = null;
        ulong truncateFrom = 0;
        var entries = new List<Entry>();
        foreach (var write in writes)
        {
            hardState = write.HardState ?? hardState;
            if (write.TruncateFrom > 0)
            {
                entries.RemoveAll(entry => entry.Index >= write.TruncateFrom);
                truncateFrom = truncateFrom == 0 ? write.TruncateFrom : Math.Min(truncateFrom, write.TruncateFrom);
            }
            entries.AddRange(write.Entries);
        }
        if (_isDamaged)
        {
            // Before the damaged part goes it is durable that this member owes it.
            if (!TrySaveHardState(hardState))
            {
                return false;
            }
            log.CutDamage();
            _isDamaged = false;
        }
        if (hardState is { } promised)
        {
            log.SetHardState(promised);
        }
        if (truncateFrom > 0 && (entries.Count == 0 || entries[0].Index > truncateFrom))
        {
            log.TruncateFrom(truncateFrom);
        }
        foreach (var entry in entries)
        {
            log.Append(entry);
        }
        return log.TryFlush() && TrySaveHardState(hardState);
    }

    public void DropBefore(ulong snapshotIndex) => log.DropBefore(snapshotIndex);

    /// <returns>False if the disk is full.</returns>
    public bool TryInstall(SnapshotMark mark) => log.TryInstall(mark);

    /// <summary>Remembers whom to answer while there is no log to read it from. Not needed for anything that was
    /// promised, so a full disk leaves it as it was.</summary>
    public void RememberMembers(IEnumerable<SavedMember> members)
    {
        var known = members.ToList();
        if (!known.SequenceEqual(member.Members))
        {
            member.Members.Clear();
            member.Members.AddRange(known);
            MemberFile.TrySave(disk, member);
        }
    }

    public void Dispose() => log.Dispose();

    private bool TrySaveHardState(HardState? hardState)
    {
        if (hardState is not { } promised)
        {
            return true;
        }
        member.HardState = promised.ToSaved();
        return MemberFile.TrySave(disk, member);
    }
}
