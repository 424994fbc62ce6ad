using Google.Protobuf;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded.Leases;

/// <summary>
/// The leases and the keys that hang on them. Which leases exist comes from the log; how long each still has is known
/// to the leader alone, from the time it is handed. It never ends a lease by itself: it names the ones whose time is
/// over, the leader proposes their end, and the log ends them.
/// </summary>
internal sealed class LeaseTable
{
    /// <summary>As etcd 3.4 with its default election time-out: anything shorter is raised to it.</summary>
    public const long MinimumSeconds = 2;

    /// <summary>etcd's limit.</summary>
    public const long MaximumSeconds = 9_000_000_000;

    public const int MaximumLeases = 100_000;

    private readonly Dictionary<long, Lease> _leases = [];

    /// <summary>Also of leases that are gone: they are looked for when their time has come. Members that do not lead
    /// never look.</summary>
    private readonly PriorityQueue<long, TimeSpan> _byDeadline = new();

    private sealed class Lease(long id, long seconds)
    {
        public long Id { get; } = id;
        public long Seconds { get; } = seconds;
        public TimeSpan Deadline { get; set; }
        /// <summary>Its end is in the log already; no keep-alive can stop it any more.</summary>
        public bool Ending { get; set; }
        public SortedSet<ByteString> Keys { get; } = new(Comparer<ByteString>.Create(Bytes.Compare));
    }

    public int QueuedDeadlines => _byDeadline.Count;

    public IEnumerable<(long Id, long Seconds)> All => _leases.Values.OrderBy(lease => lease.Id)
        .Select(lease => (lease.Id, lease.Seconds));

    /// <summary>Those that will end first come first.</summary>
    public IEnumerable<long> ByDeadline =>
        _leases.Values.OrderBy(lease => lease.Deadline).ThenBy(lease => lease.Id).Select(lease => lease.Id);

    public bool Exists(long id) => _leases.ContainsKey(id);

    public CoordinatorError CheckGrant(long id, long seconds)
    {
        if (seconds > MaximumSeconds)
        {
            return CoordinatorError.LeaseTimeTooLarge;
        }
        if (_leases.ContainsKey(id))
        {
            return CoordinatorError.LeaseExists;
        }
        return _leases.Count >= MaximumLeases ? CoordinatorError.TooManyLeases : CoordinatorError.None;
    }

    public void Grant(long id, long seconds, TimeSpan now)
    {
        var lease = new Lease(id, seconds);
        _leases.Add(id, lease);
        Extend(lease, now);
        _byDeadline.Enqueue(id, lease.Deadline);
        if (_byDeadline.Count > 2 * _leases.Count)
        {
            Requeue();
        }
    }

    /// <summary>Forgets the lease; the keys that it held are the caller's to delete, in this order.</summary>
    public IReadOnlyList<ByteString>? Remove(long id) =>
        _leases.Remove(id, out var lease) ? [.. lease.Keys] : null;

    public void Attach(long id, ByteString key)
    {
        if (_leases.TryGetValue(id, out var lease))
        {
            lease.Keys.Add(key);
        }
    }

    public void Detach(long id, ByteString key)
    {
        if (_leases.TryGetValue(id, out var lease))
        {
            lease.Keys.Remove(key);
        }
    }

    /// <summary>The whole time that the lease has again, in seconds; 0 if there is no such lease any more.</summary>
    public long KeepAlive(long id, TimeSpan now)
    {
        if (!_leases.TryGetValue(id, out var lease) || lease.Ending)
        {
            return 0;
        }
        Extend(lease, now);
        return lease.Seconds;
    }

    /// <summary>A new leader does not know who was kept alive lately: everybody gets the full time once.</summary>
    public void RenewAll(TimeSpan now)
    {
        foreach (var lease in _leases.Values)
        {
            lease.Ending = false;
            Extend(lease, now);
        }
        Requeue();
    }

    /// <summary>Leases whose time is over and whose end was not named before; at most <paramref
    /// name="limit"/>.</summary>
    public IReadOnlyList<long> TakeExpired(TimeSpan now, int limit)
    {
        List<long>? expired = null;
        while ((expired?.Count ?? 0) < limit && _byDeadline.TryPeek(out var id, out var due) && due <= now)
        {
            _byDeadline.Dequeue();
            if (!_leases.TryGetValue(id, out var lease) || lease.Ending)
            {
                continue;
            }
            if (lease.Deadline > now)
            {
                // Kept alive since it was queued.
                _byDeadline.Enqueue(id, lease.Deadline);
                continue;
            }
            lease.Ending = true;
            (expired ??= []).Add(id);
        }
        return expired ?? [];
    }

    /// <summary>Their end did not get into the log: they are named again.</summary>
    public void Unname(IEnumerable<long> ids)
    {
        foreach (var id in ids)
        {
            if (_leases.TryGetValue(id, out var lease))
            {
                lease.Ending = false;
                _byDeadline.Enqueue(id, lease.Deadline);
            }
        }
    }

    public (long SecondsLeft, long Granted, IReadOnlyCollection<ByteString> Keys)? Look(long id, TimeSpan now) =>
        _leases.TryGetValue(id, out var lease)
            ? ((long)Math.Max(0, (lease.Deadline - now).TotalSeconds), lease.Seconds, lease.Keys)
            : null;

    private void Requeue()
    {
        _byDeadline.Clear();
        foreach (var lease in _leases.Values.Where(lease => !lease.Ending))
        {
            _byDeadline.Enqueue(lease.Id, lease.Deadline);
        }
    }

    private static void Extend(Lease lease, TimeSpan now)
    {
        // The longest lease that etcd allows is beyond what a TimeSpan from now may hold in the worst case.
        var seconds = Math.Min(lease.Seconds, (long)(TimeSpan.MaxValue - now).TotalSeconds - 1);
        lease.Deadline = now + TimeSpan.FromSeconds(seconds);
    }
}
