using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Embedded.Watching;

/// <summary>
/// Who is told of which change. A watcher is synced (told at once) or it is replayed from the store's history: when it
/// starts at an old revision, and when its stream does not take its events as fast as they come. So nothing is ever
/// dropped: a slow one reads the history later, and one that is slower than compaction is cancelled by name.
/// Pure: what is to be sent goes to the function it is given.
/// </summary>
internal sealed class WatchHub(
    MvccStore store, Func<long, ResponseHeader> header, Action<long, WatchResponse> send)
{
    /// <summary>Events that a stream may have been sent and not have written to its wire.</summary>
    public const int MaximumEventsInFlight = 1_024;

    public const int MaximumWatchersPerStream = 1_024;

    /// <summary>A response of a replay is closed at this many events, at the end of their revision.</summary>
    private const int ReplayEvents = 256;

    /// <summary>As etcd: a larger response is split for clients that said they can join it.</summary>
    private const int FragmentBytes = 1_500_000;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMinutes(10);

    private readonly SortedDictionary<long, WatchStream> _streams = [];
    private MvccStore _store = store;

    public IEnumerable<long> Streams => _streams.Keys;

    public int WatcherCount => _streams.Values.Sum(stream => stream.Watchers.Count);

    public void Request(long streamId, WatchRequest request, TimeSpan now)
    {
        if (!_streams.TryGetValue(streamId, out var stream))
        {
            stream = new WatchStream(streamId);
            _streams.Add(streamId, stream);
        }
        switch (request.RequestUnionCase)
        {
            case WatchRequest.RequestUnionOneofCase.CreateRequest:
                Create(stream, request.CreateRequest, now);
                break;
            case WatchRequest.RequestUnionOneofCase.CancelRequest:
                if (stream.Watchers.Remove(request.CancelRequest.WatchId))
                {
                    Send(stream, new WatchResponse { WatchId = request.CancelRequest.WatchId, Canceled = true });
                }
                break;
            case WatchRequest.RequestUnionOneofCase.ProgressRequest:
                // True only while nothing is held back for this stream.
                if (stream.Watchers.Values.All(watcher => watcher.Synced))
                {
                    Send(stream, new WatchResponse { WatchId = -1 });
                }
                break;
        }
    }

    public void Close(long streamId) => _streams.Remove(streamId);

    /// <summary>The stream wrote this many events to its wire.</summary>
    public void Taken(long streamId, int events)
    {
        if (!_streams.TryGetValue(streamId, out var stream))
        {
            return;
        }
        stream.EventsInFlight -= events;
        // Half empty before it is filled again: otherwise each event taken would start a replay of its own.
        if (stream.EventsInFlight <= MaximumEventsInFlight / 2)
        {
            ReplayAll(stream);
        }
    }

    public void Publish(RevisionChanges revision, TimeSpan now)
    {
        var events = new List<Event>();
        foreach (var stream in _streams.Values)
        {
            foreach (var watcher in stream.Watchers.Values)
            {
                if (!watcher.Synced || revision.Revision < watcher.NextRevision)
                {
                    continue;
                }
                watcher.Collect(revision, _store.CompactedRevision, events);
                if (events.Count == 0)
                {
                    continue;
                }
                if (stream.EventsInFlight >= MaximumEventsInFlight)
                {
                    watcher.Synced = false;
                    watcher.NextRevision = revision.Revision;
                }
                else
                {
                    Send(stream, watcher, events, revision.Revision);
                    watcher.LastSent = now;
                }
                events.Clear();
            }
        }
    }

    public void Tick(TimeSpan now)
    {
        foreach (var stream in _streams.Values)
        {
            foreach (var watcher in stream.Watchers.Values)
            {
                if (watcher.ProgressNotify && watcher.Synced && now - watcher.LastSent >= ProgressInterval)
                {
                    watcher.LastSent = now;
                    Send(stream, new WatchResponse { WatchId = watcher.Id });
                }
            }
        }
    }

    /// <summary>The state was replaced by a newer one. What lies between is in its history, or was compacted.</summary>
    public void MoveTo(MvccStore newer)
    {
        var revision = _store.Revision;
        _store = newer;
        foreach (var stream in _streams.Values)
        {
            foreach (var watcher in stream.Watchers.Values.Where(watcher => watcher.Synced))
            {
                watcher.Synced = false;
                watcher.NextRevision = Math.Max(watcher.NextRevision, revision + 1);
            }
            ReplayAll(stream);
        }
    }

    private void Create(WatchStream stream, WatchCreateRequest request, TimeSpan now)
    {
        // etcd: no key means the smallest one.
        var range = KeyRange.Of(
            request.Key.IsEmpty ? ByteString.CopyFrom(0) : request.Key, request.RangeEnd);
        var refusal = Refusal(stream, request, range);
        if (refusal is not null)
        {
            Send(stream, new WatchResponse { WatchId = -1, Created = true, Canceled = true, CancelReason = refusal });
            return;
        }
        var id = request.WatchId != 0 ? request.WatchId : stream.NewWatchId();
        var isWhole = true;
        Planted.Bend(CoordinatorFault.WatchEventSkippedAtResume, ref isWhole, to: false);
        var watcher = new Watcher(id, range, request)
        {
            NextRevision = request.StartRevision > 0
                ? request.StartRevision + (isWhole ? 0 : 1)
                : _store.Revision + 1,
            LastSent = now,
        };
        stream.Watchers.Add(id, watcher);
        Send(stream, new WatchResponse { WatchId = id, Created = true });
        Replay(stream, watcher);
    }

    private static string? Refusal(WatchStream stream, WatchCreateRequest request, KeyRange range)
    {
        if (range.IsEmpty)
        {
            return "mvcc: watcher range is empty";
        }
        if (request.WatchId != 0 && stream.Watchers.ContainsKey(request.WatchId))
        {
            return "mvcc: duplicate watch ID provided on the WatchStream";
        }
        return stream.Watchers.Count >= MaximumWatchersPerStream
            ? $"a stream can hold {MaximumWatchersPerStream} watches; open another one"
            : null;
    }

    private void ReplayAll(WatchStream stream)
    {
        // A copy: one that was overtaken by compaction leaves the stream.
        foreach (var watcher in stream.Watchers.Values.Where(watcher => !watcher.Synced).ToList())
        {
            Replay(stream, watcher);
        }
    }

    private void Replay(WatchStream stream, Watcher watcher)
    {
        var isGone = watcher.NextRevision < _store.CompactedRevision;
        Planted.Bend(CoordinatorFault.CompactedWatchGoesOn, ref isGone, to: false);
        if (isGone)
        {
            stream.Watchers.Remove(watcher.Id);
            Send(stream, new WatchResponse
            {
                WatchId = watcher.Id,
                Canceled = true,
                CompactRevision = _store.CompactedRevision,
            });
            return;
        }
        var events = new List<Event>();
        foreach (var revision in _store.ChangesFrom(watcher.NextRevision))
        {
            if (stream.EventsInFlight >= MaximumEventsInFlight)
            {
                return;
            }
            watcher.Collect(revision, _store.CompactedRevision, events);
            watcher.NextRevision = revision.Revision + 1;
            if (events.Count >= ReplayEvents)
            {
                Send(stream, watcher, events, revision.Revision);
                events.Clear();
            }
        }
        if (events.Count > 0)
        {
            Send(stream, watcher, events, _store.Revision);
        }
        watcher.Synced = true;
    }

    private void Send(WatchStream stream, Watcher watcher, List<Event> events, long revision)
    {
        stream.EventsInFlight += events.Count;
        foreach (var (part, isLast) in Parts(events, watcher.Fragment))
        {
            var response = new WatchResponse { Header = header(revision), WatchId = watcher.Id, Fragment = !isLast };
            response.Events.AddRange(part);
            send(stream.Id, response);
        }
    }

    private void Send(WatchStream stream, WatchResponse control)
    {
        control.Header = header(_store.Revision);
        send(stream.Id, control);
    }

    private static IEnumerable<(IReadOnlyList<Event> Part, bool IsLast)> Parts(List<Event> events, bool fragment)
    {
        if (!fragment)
        {
            yield return ([.. events], true);
            yield break;
        }
        var part = new List<Event>();
        var bytes = 0;
        foreach (var @event in events)
        {
            var size = @event.CalculateSize();
            if (part.Count > 0 && bytes + size > FragmentBytes)
            {
                yield return (part, false);
                part = [];
                bytes = 0;
            }
            part.Add(@event);
            bytes += size;
        }
        yield return (part, true);
    }
}
