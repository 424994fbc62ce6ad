using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded.Watching;

/// <summary>One watch of one stream: what it wants, and the first revision that it has not been given yet.</summary>
internal sealed class Watcher(long id, KeyRange range, WatchCreateRequest request)
{
    private readonly bool _wantsPuts = !request.Filters.Contains(WatchCreateRequest.Types.FilterType.Noput);
    private readonly bool _wantsDeletions = !request.Filters.Contains(WatchCreateRequest.Types.FilterType.Nodelete);

    public long Id { get; } = id;

    /// <summary>While synced, a floor: everything below the store's revision was given or did not concern it.</summary>
    public long NextRevision { get; set; }

    /// <summary>Gets changes as they are made; otherwise it is replayed from the history first.</summary>
    public bool Synced { get; set; }

    public bool Fragment { get; } = request.Fragment;

    public bool ProgressNotify { get; } = request.ProgressNotify;

    public TimeSpan LastSent { get; set; }

    public void Collect(RevisionChanges revision, long compactedRevision, List<Event> events)
    {
        foreach (var change in revision.Changes)
        {
            var wanted = change.Type == Event.Types.EventType.Put ? _wantsPuts : _wantsDeletions;
            if (!wanted || !range.Contains(change.Current.Key))
            {
                continue;
            }
            var @event = new Event { Type = change.Type, Kv = change.Current };
            if (request.PrevKv && revision.Revision > compactedRevision)
            {
                @event.PrevKv = change.Previous;
            }
            events.Add(@event);
        }
    }
}

/// <summary>One client's stream of watches and what it was sent but has not taken yet.</summary>
internal sealed class WatchStream(long id)
{
    private long _nextWatchId;

    public long Id { get; } = id;

    /// <summary>In the order of their ids, so that a replay of the same events sends the same.</summary>
    public SortedDictionary<long, Watcher> Watchers { get; } = [];

    public int EventsInFlight { get; set; }

    public long NewWatchId()
    {
        while (Watchers.ContainsKey(_nextWatchId))
        {
            _nextWatchId++;
        }
        return _nextWatchId++;
    }
}
