namespace Hexcast.Raft;

/// <summary>Times and limits. Each limit is of one queue; what happens beyond it stands beside it.</summary>
internal sealed record RaftOptions
{
    /// <summary>A follower that hears no leader for a time between these two asks to be elected.</summary>
    public TimeSpan ElectionTimeoutMinimum { get; init; } = TimeSpan.FromMilliseconds(150);

    public TimeSpan ElectionTimeoutMaximum { get; init; } = TimeSpan.FromMilliseconds(300);

    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The most that is waited beyond that, for members whose beats and answers came late before.</summary>
    public TimeSpan MaximumPatience { get; init; } = TimeSpan.FromMilliseconds(600);

    /// <summary>A read at a follower is refused after this: the leader has not answered, or what it has committed does
    /// not come.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A piece of a snapshot that nobody has confirmed is sent again after this.</summary>
    public TimeSpan ChunkTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>One proposal; a larger one is refused.</summary>
    public int MaximumPayloadBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Payload of one append message, unless a single entry is larger.</summary>
    public int MaximumMessageBytes { get; init; } = 1024 * 1024;

    public int MaximumMessageEntries { get; init; } = 1_024;

    /// <summary>Append messages on their way to one follower; the next waits for an answer.</summary>
    public int MaximumInflightMessages { get; init; } = 256;

    public int MaximumInflightBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>What the leader has appended and not committed; further proposals are refused.</summary>
    public int MaximumUncommittedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Reads that wait; further ones are refused.</summary>
    public int MaximumWaitingReads { get; init; } = 4_096;

    /// <summary>Answers that wait for the disk; beyond it the oldest is dropped, as by a bad network.</summary>
    public int MaximumHeldMessages { get; init; } = 4_096;

    public int SnapshotChunkBytes { get; init; } = 1024 * 1024;

    /// <summary>Entries kept behind a snapshot, so that a follower that is a little late needs no snapshot.</summary>
    public int EntriesKeptBehindSnapshot { get; init; } = 5_000;

    /// <summary>A learner may be this far behind and still become a voter.</summary>
    public int PromotionLagEntries { get; init; } = 1_000;

    /// <summary>Three beats in the time after which a leader is missed: one may be lost, and one late.</summary>
    public static RaftOptions For(TimeSpan electionTimeout) => new()
    {
        ElectionTimeoutMinimum = electionTimeout,
        ElectionTimeoutMaximum = 2 * electionTimeout,
        HeartbeatInterval = electionTimeout / 3,
        MaximumPatience = 4 * electionTimeout,
    };

    /// <summary>What is wrong with these, or null.</summary>
    public string? Fault() => this switch
    {
        { HeartbeatInterval.Ticks: <= 0 } => "The heartbeat interval is over zero.",
        _ when ElectionTimeoutMinimum < 2 * HeartbeatInterval =>
            "The minimum election timeout is at least twice the heartbeat interval, or one lost beat elects.",
        _ when ElectionTimeoutMaximum <= ElectionTimeoutMinimum =>
            "The maximum election timeout is over the minimum, or two candidates split the vote for ever.",
        _ when MaximumInflightBytes < MaximumMessageBytes =>
            "The bytes in flight hold at least one message.",
        _ => null,
    };
}

/// <summary>Why something was not done. Everything but <see cref="ReadTimedOut"/> and <see cref="TransferTimedOut"/>
/// says that it never will be.</summary>
internal enum RaftError
{
    None,

    /// <summary>Ask the leader that is named beside it, or again a little later if there is none.</summary>
    NotLeader,

    /// <summary>The leader is handing over; the next one takes proposals in a moment.</summary>
    TransferUnderWay,

    TooMuchUncommitted,

    PayloadTooLarge,

    TooManyReads,

    /// <summary>The leader changed, or did not answer, or this member is behind it; a read can always be asked again,
    /// also the leader itself.</summary>
    ReadTimedOut,

    /// <summary>A change of members is in the log and not committed: one at a time.</summary>
    ChangeUnderWay,

    /// <summary>This term has committed nothing, so its leader cannot know whether a change is under way.</summary>
    TermNotEstablished,

    AlreadyMember,

    NotMember,

    NotLearner,

    /// <summary>It would slow the others' commits; it has to catch up first.</summary>
    LearnerBehind,

    LastVoter,

    /// <summary>Of the voters that would be left, too few answer or are whole. Bring them back first.</summary>
    QuorumAtRisk,

    TooManyMembers,

    /// <summary>It has not taken over in time, and may do so yet.</summary>
    TransferTimedOut,

    /// <summary>Who was to hand over does not lead any more: there is nothing to be handed over.</summary>
    LeadsNoMore,
}
