namespace Hexcast.Raft;

/// <summary>
/// The log as this node knows it, durable or not, from the entry after its base on, and the members along it.
///
///   base ── kept behind the snapshot ── snapshot ── committed ── last
/// </summary>
internal sealed class RaftLog
{
    private readonly List<Entry> _entries = [];

    /// <summary>The members from each index on, oldest first; never empty. The first counts from the snapshot or from
    /// before the base on.</summary>
    private readonly List<(ulong Index, Members Members)> _members = [];

    /// <summary>The entry before the first that is here.</summary>
    private ulong _baseIndex;
    private ulong _baseTerm;

    public RaftLog(SnapshotMark snapshot, IReadOnlyList<Entry> entries)
    {
        Snapshot = snapshot;
        (_baseIndex, _baseTerm) = (snapshot.Index, snapshot.Term);
        _members.Add((snapshot.Index, snapshot.Members));
        foreach (var entry in entries.Where(e => e.Index > snapshot.Index))
        {
            Append(entry);
        }
    }

    /// <summary>The newest snapshot that is durable here.</summary>
    public SnapshotMark Snapshot { get; private set; }

    public ulong FirstIndex => _baseIndex + 1;

    public ulong LastIndex => _baseIndex + (ulong)_entries.Count;

    public ulong LastTerm => _entries.Count > 0 ? _entries[^1].Term : _baseTerm;

    /// <summary>In force: those of the last entry about them, committed or not (dissertation, 4.1).</summary>
    public Members Members => _members[^1].Members;

    /// <summary>Index of the entry that made the members what they are; 0 or the snapshot's if none here did.</summary>
    public ulong MembersIndex => _members[^1].Index;

    public Entry this[ulong index] => _entries[(int)(index - FirstIndex)];

    public bool TryTermAt(ulong index, out ulong term)
    {
        term = index == _baseIndex ? _baseTerm : 0;
        if (index < _baseIndex || index > LastIndex)
        {
            return false;
        }
        if (index > _baseIndex)
        {
            term = this[index].Term;
        }
        return true;
    }

    public bool Holds(ulong index, ulong term) => TryTermAt(index, out var here) && here == term;

    /// <summary>Is a log that ends so at least as new as this one? (Raft, 5.4.1)</summary>
    public bool IsUpToDate(ulong lastIndex, ulong lastTerm) =>
        lastTerm > LastTerm || (lastTerm == LastTerm && lastIndex >= LastIndex);

    public Members MembersAt(ulong index) => _members.FindLast(m => m.Index <= index).Members ?? Snapshot.Members;

    /// <summary>Was it a voter at this index, or at any later one?</summary>
    public bool IsVoterSince(ulong index, ulong node)
    {
        var first = Math.Max(0, _members.FindLastIndex(m => m.Index <= index));
        return _members.Skip(first).Any(m => m.Members.IsVoter(node));
    }

    public void Append(Entry entry)
    {
        if (entry.Index != LastIndex + 1 || entry.Term < LastTerm)
        {
            throw new InvalidOperationException(
                $"Entry {entry.Term}/{entry.Index} does not follow {LastTerm}/{LastIndex}.");
        }
        _entries.Add(entry);
        if (entry.Kind == EntryKind.Membership)
        {
            _members.Add((entry.Index, Members.Decode(entry.Payload.Span)));
        }
    }

    /// <summary>Drops the entries from this index on, and with them the members that they made.</summary>
    public void TruncateFrom(ulong index)
    {
        var keep = (int)(index - FirstIndex);
        _entries.RemoveRange(keep, _entries.Count - keep);
        var rollsBack = true;
        Planted.Bend(RaftFault.MembersNotRolledBack, ref rollsBack, to: false);
        while (rollsBack && _members.Count > 1 && _members[^1].Index >= index)
        {
            _members.RemoveAt(_members.Count - 1);
        }
    }

    public Entry[] Slice(ulong from, ulong to) =>
        from > to ? [] : _entries.GetRange((int)(from - FirstIndex), (int)(to - from + 1)).ToArray();

    /// <summary>At least one entry if there is one, then as many as fit.</summary>
    public Entry[] Slice(ulong from, int maximumEntries, int maximumBytes)
    {
        var (to, bytes) = (from, 0);
        while (to <= LastIndex && to - from < (ulong)maximumEntries
            && (to == from || bytes + this[to].Payload.Length <= maximumBytes))
        {
            bytes += this[to++].Payload.Length;
        }
        return Slice(from, to - 1);
    }

    /// <summary>The last index up to this one whose term is at most that. Where two logs differ, the leader steps over
    /// a whole term at once with it, and the follower likewise.</summary>
    public (ulong Index, ulong Term) LastWithTermAtMost(ulong index, ulong term)
    {
        for (index = Math.Min(index, LastIndex); ; index--)
        {
            if (!TryTermAt(index, out var here))
            {
                return (index, 0);
            }
            if (here <= term)
            {
                return (index, here);
            }
        }
    }

    public SnapshotMark MarkOf(ulong index) => TryTermAt(index, out var term)
        ? new SnapshotMark(index, term, MembersAt(index))
        : throw new InvalidOperationException($"There is no entry {index} here.");

    /// <summary>A snapshot replaces the entries up to this one; the last of them are kept for late followers.</summary>
    public void Compact(ulong snapshotIndex, int keep)
    {
        Snapshot = MarkOf(snapshotIndex);
        var newBase = snapshotIndex > (ulong)keep ? snapshotIndex - (ulong)keep : 0;
        if (newBase > _baseIndex)
        {
            TryTermAt(newBase, out var term);
            _entries.RemoveRange(0, (int)(newBase - _baseIndex));
            (_baseIndex, _baseTerm) = (newBase, term);
        }
        while (_members.Count > 1 && _members[1].Index <= snapshotIndex)
        {
            _members.RemoveAt(0);
        }
    }

    /// <summary>The log is what the snapshot says, and nothing after it.</summary>
    public void ResetTo(SnapshotMark snapshot)
    {
        Snapshot = snapshot;
        (_baseIndex, _baseTerm) = (snapshot.Index, snapshot.Term);
        _entries.Clear();
        _members.Clear();
        _members.Add((snapshot.Index, snapshot.Members));
    }
}
