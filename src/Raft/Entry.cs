namespace Hexcast.Raft;

internal enum EntryKind : byte
{
    /// <summary>The first of each term: until it is committed its leader does not know what is.</summary>
    TermStart = 1,

    Command = 2,

    /// <summary>The payload is <see cref="Members"/>, whole, in force from the moment it is appended.</summary>
    Membership = 3,
}

/// <summary>One place in the replicated log. Indexes start at 1 and have no gaps.</summary>
internal sealed record Entry(ulong Term, ulong Index, EntryKind Kind, ReadOnlyMemory<byte> Payload);

/// <summary>What a node has promised. It is durable before anybody is told, and two copies of it are kept: a node that
/// forgot its vote could elect a second leader (decision 0013).</summary>
/// <param name="Vote">Whom it voted for in this term; 0 is nobody.</param>
/// <param name="Recovering">It has lost entries that it may have acknowledged: it does not vote until it has them
/// again.</param>
internal readonly record struct HardState(ulong Term, ulong Vote, bool Recovering = false);

/// <summary>The last entry that a snapshot replaces, and who the members were there.</summary>
internal sealed record SnapshotMark(ulong Index, ulong Term, Members Members)
{
    /// <summary>The beginning of every log. A node that is to join a group starts with no members.</summary>
    public static SnapshotMark Start(Members members) => new(0, 0, members);
}

/// <summary>What was found on the disk, whole and checked.</summary>
internal sealed record Recovered(HardState HardState, SnapshotMark Snapshot, IReadOnlyList<Entry> Entries);
