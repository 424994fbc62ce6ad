using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>When the coordinator makes a snapshot and how much of the past it keeps.</summary>
internal sealed record CoordinatorLimits
{
    public int SnapshotEntries { get; init; } = 10_000;

    public long SnapshotBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Revisions that watches can go back; older ones are compacted once twice as many are there.</summary>
    public long HistoryRevisions { get; init; } = 10_000;

    /// <summary>The same in bytes of their changes. Never more than an eighth of <see cref="StoreBytes"/>.</summary>
    public long HistoryBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>What keys, values and history may take; beyond it writes are refused until something is
    /// deleted.</summary>
    public long StoreBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Members that vote, as soon as so many are there: 1, 3 or 5. An even number survives no more than the
    /// odd one below it.</summary>
    public int Voters { get; init; } = 3;

    public RaftOptions Raft { get; init; } = new();
}

/// <summary>How things stand, for whoever watches.</summary>
internal sealed record CoordinatorFigures
{
    public long LogEntries { get; init; }

    public long StoreBytes { get; init; }

    public long StoreLimitBytes { get; init; }

    /// <summary>Writes of this process's life that the store had no room for.</summary>
    public long RefusedForSize { get; init; }

    public long Revision { get; init; }

    public int Watches { get; init; }

    public long Term { get; init; }

    public bool Leads { get; init; }

    public bool HasLeader { get; init; }

    public int Voters { get; init; }

    /// <summary>On the leader: the entries that each member lacks, itself included.</summary>
    public IReadOnlyList<(string Node, long Entries)> Lags { get; init; } = [];
}
