namespace Hexcast.Raft;

/// <summary>
/// What nodes say to each other. The network may lose, delay, repeat and reorder all of it. Term is the sender's, but
/// in a PreVote: there it is the term that the sender would lead.
/// </summary>
internal abstract record RaftMessage(ulong From, ulong Term)
{
    /// <param name="IsPre">Would you vote for me? Changes nothing at either end (dissertation, 9.6).</param>
    /// <param name="IsTransfer">The leader itself asked for it, so that hearing the leader is no reason to refuse.
    /// </param>
    public sealed record VoteRequest(
        ulong From, ulong Term, bool IsPre, ulong LastIndex, ulong LastTerm, bool IsTransfer = false)
        : RaftMessage(From, Term);

    public sealed record VoteResponse(ulong From, ulong Term, bool IsPre, bool Granted) : RaftMessage(From, Term);

    /// <summary>Without entries it is a question: is your log mine up to here?</summary>
    public sealed record AppendRequest(
        ulong From, ulong Term, ulong PreviousIndex, ulong PreviousTerm, IReadOnlyList<Entry> Entries, ulong Commit)
        : RaftMessage(From, Term);

    /// <param name="Index">Accepted: the log is the leader's up to here, and durable. Refused: the request's
    /// <see cref="AppendRequest.PreviousIndex"/>.</param>
    /// <param name="HintIndex">Refused: the last entry here that can be the leader's, and its term.</param>
    /// <param name="Recovering">This node's acknowledgements do not count: see <see cref="HardState"/>.</param>
    public sealed record AppendResponse(
        ulong From, ulong Term, bool Accepted, ulong Index, ulong HintIndex, ulong HintTerm, bool Recovering)
        : RaftMessage(From, Term);

    /// <summary>Never waits for a disk at either end.</summary>
    /// <param name="Commit">The leader's. A follower takes it as far as it knows its log to be the leader's.</param>
    /// <param name="Round">Counts up in a term; the answer repeats it, and proves that the sender still led when it
    /// sent this one.</param>
    public sealed record Heartbeat(ulong From, ulong Term, ulong Commit, ulong Round) : RaftMessage(From, Term);

    /// <param name="Commit">One that has started again may have the whole log and not know how much of it is
    /// committed; heartbeats alone would never tell it.</param>
    public sealed record HeartbeatResponse(ulong From, ulong Term, ulong Round, bool Recovering, ulong Commit)
        : RaftMessage(From, Term);

    /// <summary>A piece of a snapshot's bytes.</summary>
    public sealed record InstallSnapshot(
        ulong From, ulong Term, SnapshotMark Mark, long Offset, ReadOnlyMemory<byte> Bytes, bool IsLast)
        : RaftMessage(From, Term);

    /// <param name="NextOffset">All bytes before it are stored.</param>
    public sealed record InstallSnapshotResponse(ulong From, ulong Term, ulong SnapshotIndex, long NextOffset)
        : RaftMessage(From, Term);

    /// <param name="Context">Unique over all processes that ever ran as this node: an answer to one before a restart
    /// must not pass for a later one's.</param>
    public sealed record ReadRequest(ulong From, ulong Term, ulong Context) : RaftMessage(From, Term);

    public sealed record ReadResponse(ulong From, ulong Term, ulong Context, ulong Index) : RaftMessage(From, Term);

    /// <summary>Asks the leader where its log ends now, after this node's restart.</summary>
    public sealed record RecoveryRequest(ulong From, ulong Term, ulong Context) : RaftMessage(From, Term);

    public sealed record RecoveryResponse(ulong From, ulong Term, ulong Context, ulong LastIndex)
        : RaftMessage(From, Term);

    /// <summary>Be a candidate now (dissertation, 3.10).</summary>
    public sealed record TimeoutNow(ulong From, ulong Term) : RaftMessage(From, Term);
}
