using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded.Watching;

/// <summary>
/// Watches that wait until it is proven where the log stands: what was acknowledged before one began is no news to it,
/// also where that is not applied yet. What a stream asks for is done in its order, so whatever comes behind one that
/// waits, waits with it. One proof serves all that a stream asked for before it.
/// </summary>
internal sealed class UnprovenWatches
{
    private readonly SortedDictionary<long, Waiting> _streams = [];

    private sealed class Waiting
    {
        public Queue<WatchRequest> Requests { get; } = [];

        /// <summary>How many of them the proof serves that was asked for; 0: none is asked for.</summary>
        public int Asked { get; set; }

        public TimeSpan Since { get; set; }
    }

    /// <summary>Has to wait: it creates a watch, or stands behind one that does.</summary>
    public bool MustWait(long stream, WatchRequest request)
    {
        var mustWait = request.CreateRequest is not null || _streams.ContainsKey(stream);
        Planted.Bend(CoordinatorFault.WatchBegunWithoutProof, ref mustWait, to: false);
        return mustWait;
    }

    /// <returns>False: so many wait already.</returns>
    public bool TryAdd(long stream, WatchRequest request, TimeSpan now)
    {
        if (!_streams.TryGetValue(stream, out var waiting))
        {
            _streams.Add(stream, waiting = new Waiting { Since = now });
        }
        if (waiting.Requests.Count >= WatchHub.MaximumWatchersPerStream)
        {
            return false;
        }
        waiting.Requests.Enqueue(request);
        return true;
    }

    /// <summary>A proof is to be asked for now.</summary>
    public bool TryAsk(long stream)
    {
        if (!_streams.TryGetValue(stream, out var waiting) || waiting.Asked > 0)
        {
            return false;
        }
        waiting.Asked = waiting.Requests.Count;
        return true;
    }

    /// <summary>There was no proof to be had.</summary>
    public void Failed(long stream)
    {
        if (_streams.TryGetValue(stream, out var waiting))
        {
            waiting.Asked = 0;
        }
    }

    /// <summary>What may be done now.</summary>
    public IReadOnlyList<WatchRequest> Proven(long stream, TimeSpan now)
    {
        var proven = new List<WatchRequest>();
        if (!_streams.TryGetValue(stream, out var waiting))
        {
            return proven;
        }
        while (waiting.Requests.TryPeek(out var next) && (waiting.Asked-- > 0 || next.CreateRequest is null))
        {
            proven.Add(waiting.Requests.Dequeue());
        }
        (waiting.Asked, waiting.Since) = (0, now);
        if (waiting.Requests.Count == 0)
        {
            _streams.Remove(stream);
        }
        return proven;
    }

    public IReadOnlyList<long> Streams => [.. _streams.Keys];

    /// <summary>Those that have waited since then or longer.</summary>
    public IReadOnlyList<long> WaitingSince(TimeSpan then) =>
        [.. _streams.Where(stream => stream.Value.Since <= then).Select(stream => stream.Key)];

    public void Close(long stream) => _streams.Remove(stream);
}
