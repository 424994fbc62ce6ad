namespace Hexcast.Raft;

/// <summary>What can happen to a node. The shell hands these over one at a time, each with the time at which it is
/// handled: of a monotonic clock, and never less than the one before.</summary>
internal abstract record RaftEvent
{
    /// <summary>Due at <see cref="RaftCore.Deadline"/>; more often does no harm.</summary>
    public sealed record Tick : RaftEvent
    {
        public static readonly Tick Now = new();
    }

    public sealed record Received(RaftMessage Message) : RaftEvent;

    /// <summary>The process of another member has ended. It may be back by now: no more follows from this than that a
    /// leader is not waited for.</summary>
    public sealed record MemberGone(ulong Node) : RaftEvent;

    /// <summary>Everything up to the <see cref="RaftEffect.Persist"/> of this number is durable.</summary>
    public sealed record Persisted(ulong Sequence) : RaftEvent;

    /// <summary>
    /// The disk is full: nothing after the last write that was reported is on it, nor will be before the answer. A
    /// group of one drops it, for nobody else can have it: a <see cref="RaftEffect.Persist"/> takes it back. In a
    /// larger one others may have committed it: <see cref="RaftEffect.WriteAgain"/>.
    /// </summary>
    public sealed record WriteRefused : RaftEvent;

    public sealed record Propose(long RequestId, ReadOnlyMemory<byte> Payload) : RaftEvent;

    /// <summary>Asks from which index on a read is linearizable (dissertation, 6.4).</summary>
    public sealed record Read(long RequestId) : RaftEvent;

    public sealed record ChangeMembers(long RequestId, MemberChange Change, ulong Node) : RaftEvent;

    /// <param name="OfTerm">Whoever leads this term is to hand over, and nobody who leads another one; 0: whoever
    /// leads.</param>
    public sealed record TransferLeadership(long RequestId, ulong To, ulong OfTerm = 0) : RaftEvent;

    /// <summary>The state after this entry is in a snapshot that survives a loss of power.</summary>
    public sealed record SnapshotSaved(ulong Index) : RaftEvent;

    /// <summary>Answers <see cref="RaftEffect.ReadSnapshotChunk"/>. A null says that this snapshot is there no more.
    /// </summary>
    public sealed record SnapshotChunkRead(
        ulong To, ulong SnapshotIndex, long Offset, ReadOnlyMemory<byte>? Bytes, bool IsLast) : RaftEvent;

    /// <summary>Answers <see cref="RaftEffect.StoreSnapshotChunk"/>.</summary>
    public sealed record SnapshotChunkStored(ulong SnapshotIndex, long NextOffset, bool IsLast) : RaftEvent;

    /// <summary>Answers <see cref="RaftEffect.InstallSnapshot"/>: durable, and the state machine is the snapshot's.
    /// </summary>
    public sealed record SnapshotInstalled(ulong Index) : RaftEvent;

    /// <summary>
    /// The first event after a restart that found durable entries unreadable: from this index on they are not in
    /// <see cref="Recovered.Entries"/>. They are fetched again, and until then this node does not vote.
    /// </summary>
    public sealed record LogUnreadable(ulong From) : RaftEvent;
}

internal enum MemberChange
{
    AddLearner,
    Promote,
    Remove,
}

/// <summary>What the shell is to do, in this order.</summary>
internal abstract record RaftEffect
{
    /// <summary>
    /// Make this durable and say so with <see cref="RaftEvent.Persisted"/>. One fsync may serve several of these, in
    /// their order. The hard state must be durable no later than the truncation.
    /// </summary>
    /// <param name="HardState">Null: unchanged.</param>
    /// <param name="TruncateFrom">The log loses its entries from here on; 0: none.</param>
    public sealed record Persist(
        ulong Sequence, HardState? HardState, ulong TruncateFrom, IReadOnlyList<Entry> Entries) : RaftEffect;

    /// <summary>At once, and without a promise: what must wait for the disk has waited.</summary>
    public sealed record Send(ulong To, RaftMessage Message) : RaftEffect;

    /// <summary>These are committed: in order, each once.</summary>
    public sealed record Apply(IReadOnlyList<Entry> Entries) : RaftEffect;

    /// <summary>The proposal stands in the log here. If this index is applied with another term, it never will be.
    /// </summary>
    public sealed record Proposed(long RequestId, ulong Term, ulong Index) : RaftEffect;

    /// <summary>What the disk had no space for is tried again until it is there.</summary>
    public sealed record WriteAgain : RaftEffect;

    /// <summary>The proposals from this index on never will be.</summary>
    public sealed record Dropped(ulong From) : RaftEffect;

    /// <summary>What is applied when this comes is what the read may see.</summary>
    public sealed record ReadReady(long RequestId) : RaftEffect;

    /// <param name="Leader">Who may know better; 0: nobody is known.</param>
    public sealed record Refused(long RequestId, RaftError Error, ulong Leader) : RaftEffect;

    /// <summary>The leadership is with whom it was to go to.</summary>
    public sealed record Transferred(long RequestId) : RaftEffect;

    /// <param name="Leader">0: nobody is known.</param>
    public sealed record LeaderChanged(ulong Term, ulong Leader, RaftRole Role) : RaftEffect;

    public sealed record ReadSnapshotChunk(ulong To, ulong SnapshotIndex, long Offset, int MaximumBytes) : RaftEffect;

    /// <summary>At offset 0 whatever was stored of another snapshot may go.</summary>
    public sealed record StoreSnapshotChunk(
        SnapshotMark Mark, long Offset, ReadOnlyMemory<byte> Bytes, bool IsLast) : RaftEffect;

    /// <summary>Make what was stored the snapshot, durably; then drop the log and become its state. An older one that
    /// is being saved must not replace it afterwards.</summary>
    public sealed record InstallSnapshot(SnapshotMark Mark) : RaftEffect;
}

internal enum RaftRole
{
    Follower,
    PreCandidate,
    Candidate,
    Leader,
}
