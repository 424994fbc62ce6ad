namespace Hexcast.Raft;

/// <summary>
/// What has been handed to the disk, what of it is durable, and the messages that promise something and wait until that
/// is durable. Writes are numbered and reported in order.
/// </summary>
internal sealed class DurableWrites(ulong lastIndex, int maximumHeld)
{
    /// <summary>Writes on their way, each with the index at which the log ends when it is done. A later truncation
    /// lowers it: a write must not vouch for entries that another has replaced.</summary>
    private readonly Queue<(ulong Sequence, ulong LastIndex)> _pending = new();

    private readonly Queue<(ulong Sequence, ulong To, RaftMessage Message)> _held = new();
    private ulong _issued;
    private ulong _durable;

    /// <summary>The log is on this node's disk up to here.</summary>
    public ulong LogIndex { get; private set; } = lastIndex;

    public ulong Issue(ulong truncateFrom, ulong lastIndex)
    {
        if (truncateFrom > 0)
        {
            LowerTo(truncateFrom - 1);
        }
        _pending.Enqueue((++_issued, lastIndex));
        return _issued;
    }

    /// <summary>Keeps a message until all that was issued so far is durable.</summary>
    public void Hold(ulong to, RaftMessage message)
    {
        if (_held.Count >= maximumHeld)
        {
            _held.Dequeue();
        }
        _held.Enqueue((_issued, to, message));
    }

    public void Persisted(ulong sequence)
    {
        _durable = Math.Max(_durable, Math.Min(sequence, _issued));
        while (_pending.TryPeek(out var write) && write.Sequence <= _durable)
        {
            _pending.Dequeue();
            LogIndex = write.LastIndex;
        }
    }

    /// <summary>The next message that need not wait any more.</summary>
    public bool TryRelease(out ulong to, out RaftMessage message)
    {
        if (_held.TryPeek(out var held) && held.Sequence <= _durable)
        {
            _held.Dequeue();
            (to, message) = (held.To, held.Message);
            return true;
        }
        (to, message) = (0, null!);
        return false;
    }

    /// <summary>The log was replaced by a snapshot that ends here, and that is durable.</summary>
    public void ResetTo(ulong index)
    {
        LowerTo(0);
        LogIndex = index;
        for (var i = _pending.Count; i > 0; i--)
        {
            _pending.Enqueue(_pending.Dequeue() with { LastIndex = index });
        }
    }

    private void LowerTo(ulong index)
    {
        LogIndex = Math.Min(LogIndex, index);
        for (var i = _pending.Count; i > 0; i--)
        {
            var write = _pending.Dequeue();
            _pending.Enqueue(write with { LastIndex = Math.Min(write.LastIndex, index) });
        }
    }
}
