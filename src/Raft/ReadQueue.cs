namespace Hexcast.Raft;

/// <summary>A read that waits: of this node's own clients, or of a follower that asked for its own.</summary>
/// <param name="From">0: this node's; otherwise the follower, and <see cref="Context"/> is what it calls it.</param>
internal readonly record struct WaitingRead(ulong From, ulong Context, long RequestId);

/// <summary>
/// Reads by ReadIndex (dissertation, 6.4). At the leader: note the commit index, prove by a heartbeat round begun after
/// that the leadership holds, answer. Before the term's first commit the index may be behind what others committed, so
/// reads wait for that. At the node that asked: wait until the index is applied.
/// </summary>
internal sealed class ReadQueue(int maximum)
{
    private readonly List<WaitingRead> _beforeTerm = [];
    private readonly Queue<(ulong Round, ulong Index, WaitingRead Read)> _unproven = new();
    private readonly Dictionary<ulong, (long RequestId, TimeSpan Until)> _asked = [];
    private readonly SortedDictionary<(ulong Index, long Order), (long RequestId, TimeSpan Until)> _unapplied = [];
    private long _order;

    public bool IsFull => _beforeTerm.Count + _unproven.Count + _asked.Count + _unapplied.Count >= maximum;

    public void WaitForTerm(WaitingRead read) => _beforeTerm.Add(read);

    public IReadOnlyList<WaitingRead> TakeBeforeTerm()
    {
        WaitingRead[] reads = [.. _beforeTerm];
        _beforeTerm.Clear();
        return reads;
    }

    /// <param name="round">A heartbeat round that begins after this.</param>
    public void WaitForProof(ulong round, ulong index, WaitingRead read) => _unproven.Enqueue((round, index, read));

    public bool TryTakeProven(ulong round, out ulong index, out WaitingRead read)
    {
        if (_unproven.TryPeek(out var next) && next.Round <= round)
        {
            (_, index, read) = _unproven.Dequeue();
            return true;
        }
        (index, read) = (0, default);
        return false;
    }

    public void AskLeader(ulong context, long requestId, TimeSpan until)
    {
        _asked.Add(context, (requestId, until));
        Deadline = until < Deadline ? until : Deadline;
    }

    public bool TryTakeAsked(ulong context, out (long RequestId, TimeSpan Until) asked) =>
        _asked.Remove(context, out asked);

    public void WaitForApply(ulong index, long requestId, TimeSpan until)
    {
        _unapplied.Add((index, ++_order), (requestId, until));
        Deadline = until < Deadline ? until : Deadline;
    }

    public bool TryTakeApplied(ulong applied, out long requestId)
    {
        var (at, read) = _unapplied.FirstOrDefault();
        requestId = read.RequestId;
        return _unapplied.Count > 0 && at.Index <= applied && _unapplied.Remove(at);
    }

    /// <summary>One that knows what it waits for has waited for all of its time.</summary>
    public bool IsAwaitingEntries(TimeSpan now) => _unapplied.Values.Any(read => read.Until <= now);

    /// <summary>No read's time is over before this.</summary>
    public TimeSpan Deadline { get; private set; } = TimeSpan.MaxValue;

    /// <summary>This node's reads that no answer will come for: those past their time, or all when the leader changed.
    /// Reads whose index is known stay for their time then: they wait for nobody else.</summary>
    public IReadOnlyList<long> TakeLost(TimeSpan now, bool leaderChanged)
    {
        List<long> lost = [];
        Deadline = TimeSpan.MaxValue;
        foreach (var (at, (requestId, until)) in _unapplied.ToList())
        {
            if (until <= now)
            {
                lost.Add(requestId);
                _unapplied.Remove(at);
            }
            else if (until < Deadline)
            {
                Deadline = until;
            }
        }
        foreach (var (context, (requestId, until)) in _asked)
        {
            if (leaderChanged || until <= now)
            {
                lost.Add(requestId);
                _asked.Remove(context);
            }
            else if (until < Deadline)
            {
                Deadline = until;
            }
        }
        if (leaderChanged)
        {
            lost.AddRange(_beforeTerm.Concat(_unproven.Select(u => u.Read)).Where(r => r.From == 0)
                .Select(r => r.RequestId));
            _beforeTerm.Clear();
            _unproven.Clear();
        }
        return lost;
    }
}
