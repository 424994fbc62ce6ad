using System.Collections.Concurrent;
using System.Threading.Channels;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Watching;

/// <summary>The open WatchJob calls of one mastership.</summary>
internal sealed class JobWatches
{
    /// <summary>Batches of events; a watcher that falls so far behind is cut off and resumes from its cursor.</summary>
    private const int BacklogLimit = 1_024;

    /// <summary>Above it transient progress is left out: it is soon outdated.</summary>
    private const int ProgressBacklogLimit = 32;

    private readonly ConcurrentDictionary<long, Channel<IReadOnlyList<JobEvent>>> watches = new();

    public ChannelReader<IReadOnlyList<JobEvent>> Open(long subscription)
    {
        var channel = Channel.CreateBounded<IReadOnlyList<JobEvent>>(BacklogLimit);
        watches[subscription] = channel;
        return channel.Reader;
    }

    public void Close(long subscription) => watches.TryRemove(subscription, out _);

    public void Feed(long subscription, IReadOnlyList<JobEvent> events)
    {
        if (!watches.TryGetValue(subscription, out var channel) ||
            (channel.Reader.Count > ProgressBacklogLimit && events.All(e => e.Progress is not null)))
        {
            return;
        }

        if (!channel.Writer.TryWrite(events))
        {
            End(subscription, new HexcastException(
                ErrorCodes.Unavailable, "The watch fell behind. Open it again from the last revision that it has."));
        }
    }

    public void End(long subscription, Exception? failure)
    {
        if (watches.TryRemove(subscription, out var channel))
        {
            channel.Writer.TryComplete(failure);
        }
    }

    public void EndAll(Exception failure)
    {
        foreach (var subscription in watches.Keys)
        {
            End(subscription, failure);
        }
    }
}
