using Hexcast.Coordination.Embedded.Watching;

namespace Hexcast.Coordination.Embedded;

/// <summary>When watches begin, and when they end although nobody has ended them.</summary>
internal sealed partial class CoordinatorCore
{
    /// <summary>Longer than an election. A member that hears no leader for so long may have been removed, and nobody
    /// tells it: its watchers go elsewhere instead of waiting for what never comes.</summary>
    private static readonly TimeSpan WatchPatience = TimeSpan.FromSeconds(3);

    private TimeSpan _leaderKnownAt;

    /// <summary>For longer than an election no leader was heard: no majority of the voters answers this one.</summary>
    public bool IsLeaderless => _lastNow - _leaderKnownAt >= WatchPatience;

    private void WatchWhenProven(CoordinatorEvent.WatchAsked asked)
    {
        if (!_unproven.TryAdd(asked.StreamId, asked.Request, _now))
        {
            EndWatch(asked.StreamId, CoordinatorError.TooManyRequests);
            return;
        }
        AskForProof(asked.StreamId);
    }

    private void AskForProof(long stream)
    {
        if (_unproven.TryAsk(stream))
        {
            ReadWhenProven(--_lastOwnRequest, new CoordinatorEvent.WatchProof(stream));
        }
    }

    private void BeginWatches(long stream)
    {
        foreach (var request in _unproven.Proven(stream, _now))
        {
            _watches.Request(stream, request, _now);
        }
        AskForProof(stream);
    }

    private void TickWatches()
    {
        _leaderKnownAt = _raft.Leader != 0 ? _now : _leaderKnownAt;
        var then = _now - WatchPatience;
        var lost = IsLeaderless ? _watches.Streams.Concat(_unproven.Streams) : _unproven.WaitingSince(then);
        foreach (var stream in lost.Distinct().ToList())
        {
            EndWatch(stream, CoordinatorError.NoLeader);
        }
        foreach (var stream in _unproven.Streams)
        {
            AskForProof(stream);
        }
    }

    private void EndWatch(long stream, CoordinatorError error)
    {
        CloseWatch(stream);
        _effects.Add(new CoordinatorEffect.EndWatch(stream, error));
    }

    private void CloseWatch(long stream)
    {
        _watches.Close(stream);
        _unproven.Close(stream);
    }
}
