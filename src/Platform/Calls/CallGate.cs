namespace Hexcast.Platform.Calls;

/// <summary>What becomes of a call that arrives.</summary>
internal enum Admission
{
    Runs,
    Waits,
    Refused,
}

/// <summary>
/// Which calls of one method run: a token bucket for each class, then a number that run at once, then a queue from
/// which the most urgent class goes first, within a class the first that came. Times are of a clock that does not go
/// back.
/// </summary>
internal sealed class CallGate
{
    /// <summary>How soon a full queue has room is not known: a guess that spares both sides.</summary>
    private static readonly TimeSpan FullRetry = TimeSpan.FromSeconds(1);

    private readonly double? ratePerSecond;
    private readonly double burst;
    private readonly int maxRunning;
    private readonly int maxQueued;
    private readonly Bucket[] buckets = new Bucket[CallClasses.Count];
    private readonly LinkedList<long>[] queues = new LinkedList<long>[CallClasses.Count];
    private readonly Dictionary<long, LinkedListNode<long>> waiting = [];

    /// <param name="limits">None of them is null but the rate and the burst.</param>
    public CallGate(CallLimits limits)
    {
        ratePerSecond = limits.RatePerSecond;
        maxRunning = limits.MaxRunning!.Value;
        maxQueued = limits.MaxQueued!.Value;
        burst = limits.Burst ?? Math.Max(1, Math.Ceiling(limits.RatePerSecond ?? 0));
        Array.Fill(buckets, new Bucket(burst, TimeSpan.Zero));
        for (var i = 0; i < queues.Length; i++)
        {
            queues[i] = [];
        }
    }

    /// <summary>Calls that run now; never above the limit.</summary>
    public int Running { get; private set; }

    public int Waiting => waiting.Count;

    /// <param name="call">Names the call; no other of this gate has the name while it waits.</param>
    /// <param name="callClass">Its class.</param>
    /// <param name="now">The time.</param>
    /// <param name="retryAfter">Of a refused call: when another try may do better.</param>
    public Admission Arrive(long call, CallClass callClass, TimeSpan now, out TimeSpan retryAfter)
    {
        retryAfter = FullRetry;
        var queue = queues[(int)callClass];
        var runs = Running < maxRunning;
        if (!runs && queue.Count >= maxQueued)
        {
            return Admission.Refused;
        }

        if (!TryTakeToken(ref buckets[(int)callClass], now, out retryAfter))
        {
            return Admission.Refused;
        }

        if (runs)
        {
            Running++;
            return Admission.Runs;
        }

        waiting.Add(call, queue.AddLast(call));
        return Admission.Waits;
    }

    /// <summary>A call that ran has ended: the one that runs in its place, if any waits.</summary>
    public long? Leave()
    {
        foreach (var queue in queues)
        {
            if (queue.First is { } first)
            {
                Abandon(first.Value);
                return first.Value;
            }
        }

        Running--;
        return null;
    }

    /// <summary>The caller of a waiting call has gone; false where it waits no more.</summary>
    public bool Abandon(long call)
    {
        if (!waiting.Remove(call, out var place))
        {
            return false;
        }

        place.List!.Remove(place);
        return true;
    }

    private bool TryTakeToken(ref Bucket bucket, TimeSpan now, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        if (ratePerSecond is not { } rate)
        {
            return true;
        }

        var left = Math.Min(burst, bucket.Left + (Math.Max(0, (now - bucket.At).TotalSeconds) * rate));
        var taken = left >= 1;
        bucket = new Bucket(taken ? left - 1 : left, now);
        if (!taken)
        {
            wait = TimeSpan.FromSeconds((1 - left) / rate);
        }

        return taken;
    }

    private readonly record struct Bucket(double Left, TimeSpan At);
}
