namespace Hexcast.Raft;

internal enum ProgressState
{
    /// <summary>Where its log meets the leader's is unknown: one message, then wait for its answer.</summary>
    Probe,

    /// <summary>Its log is the leader's up to <see cref="Progress.Match"/>: messages follow unasked.</summary>
    Replicate,

    /// <summary>What it needs is in the snapshot only: nothing but its pieces is sent.</summary>
    Snapshot,
}

/// <summary>What the leader knows of one member, itself included.</summary>
internal sealed class Progress(ulong node, ulong next, TimeSpan now)
{
    private readonly Queue<(ulong LastIndex, int Bytes)> _inflight = new();
    private int _inflightBytes;

    public ulong Node => node;

    /// <summary>Durable there and equal to the leader's log. Falls only when the node has lost entries.</summary>
    public ulong Match { get; private set; }

    /// <summary>The next entry to send; above <see cref="Match"/>.</summary>
    public ulong Next { get; private set; } = next;

    public ProgressState State { get; private set; } = ProgressState.Probe;

    /// <summary>An answer in this term came then. A new leader owes everybody the benefit of one timeout.</summary>
    public TimeSpan LastHeard { get; private set; } = now;

    /// <summary>The last heartbeat round that it has answered.</summary>
    public ulong Round { get; private set; }

    /// <summary>It does not count for commits: see <see cref="HardState.Recovering"/>.</summary>
    public bool IsRecovering { get; private set; }

    /// <summary>Probe: the one message is on its way. A heartbeat's answer ends the wait, for it may be lost.</summary>
    public bool IsProbeSent { get; set; }

    /// <summary>State Snapshot: which one is being sent, from where on, and since when its answer is awaited.</summary>
    public SnapshotMark? Snapshot { get; private set; }

    public long SnapshotOffset { get; private set; }

    public TimeSpan ChunkAskedAt { get; private set; }

    public bool IsFull(RaftOptions options) =>
        _inflight.Count >= options.MaximumInflightMessages || _inflightBytes >= options.MaximumInflightBytes;

    public void Heard(TimeSpan now, bool isRecovering)
    {
        LastHeard = now;
        if (isRecovering && !IsRecovering)
        {
            // What was known of its log holds no more.
            Match = 0;
            BecomeProbe(Next);
        }
        IsRecovering = isRecovering;
    }

    public void AnsweredRound(ulong round) => Round = Math.Max(Round, round);

    public void Sent(ulong lastIndex, int bytes)
    {
        if (State == ProgressState.Probe)
        {
            IsProbeSent = true;
            return;
        }
        if (lastIndex >= Next)
        {
            Next = lastIndex + 1;
            _inflight.Enqueue((lastIndex, bytes));
            _inflightBytes += bytes;
        }
    }

    /// <returns>True if it has more than was known.</returns>
    public bool Accepted(ulong index)
    {
        var isNews = index > Match;
        Match = Math.Max(Match, index);
        Next = Math.Max(Next, Match + 1);
        while (_inflight.TryPeek(out var message) && message.LastIndex <= index)
        {
            _inflightBytes -= message.Bytes;
            _inflight.Dequeue();
        }
        var isFound = State == ProgressState.Probe && index >= Match;
        if (isFound || (State == ProgressState.Snapshot && Match >= Snapshot!.Index))
        {
            Reset(ProgressState.Replicate, Match + 1);
        }
        return isNews;
    }

    /// <param name="refusedIndex">The previous index of the message that was refused.</param>
    /// <param name="meeting">The last index at which the two logs can be equal.</param>
    /// <returns>False if this answers a message that other answers have overtaken.</returns>
    public bool Refused(ulong refusedIndex, ulong meeting)
    {
        if (State != ProgressState.Snapshot && meeting < Match && (IsRecovering || refusedIndex >= Match))
        {
            // It has lost entries that it had acknowledged: while it recovers, or because its disk had not kept what it
            // said that it had. An answer that was overtaken may look the same; then something is sent twice.
            Match = meeting;
            BecomeProbe(meeting + 1);
            return true;
        }
        var isStale = State switch
        {
            ProgressState.Snapshot => true,
            ProgressState.Replicate => refusedIndex <= Match,
            // One that leads nowhere new is answered by the next heartbeat's answer, not at once and for ever.
            _ => refusedIndex != Next - 1 || Math.Max(meeting, Match) + 1 >= Next,
        };
        if (isStale)
        {
            return false;
        }
        BecomeProbe(Math.Max(meeting, Match) + 1);
        return true;
    }

    public void BecomeProbe(ulong next) => Reset(ProgressState.Probe, next);

    public void BeginSnapshot(SnapshotMark mark)
    {
        Reset(ProgressState.Snapshot, mark.Index + 1);
        (Snapshot, SnapshotOffset) = (mark, 0);
    }

    public void AskedForChunk(long offset, TimeSpan now) => (SnapshotOffset, ChunkAskedAt) = (offset, now);

    private void Reset(ProgressState state, ulong next)
    {
        (State, Next, IsProbeSent, Snapshot) = (state, next, false, null);
        _inflight.Clear();
        _inflightBytes = 0;
    }
}
