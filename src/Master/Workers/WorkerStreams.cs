using System.Collections.Concurrent;
using System.Threading.Channels;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Workers;

/// <summary>The master's half of one worker's stream.</summary>
internal sealed class WorkerStream(long session)
{
    /// <summary>A worker that reads so slowly is dropped; it comes back and claims what it runs.</summary>
    private const int OutgoingLimit = 1_024;

    private readonly Channel<MasterMessage> outgoing = Channel.CreateBounded<MasterMessage>(OutgoingLimit);

    public long Session { get; } = session;

    public ChannelReader<MasterMessage> Outgoing => outgoing.Reader;

    public string? EndReason { get; private set; }

    public void Send(MasterMessage message)
    {
        if (!outgoing.Writer.TryWrite(message))
        {
            End("the worker does not read what it is sent");
        }
    }

    public void End(string reason)
    {
        EndReason ??= reason;
        outgoing.Writer.TryComplete();
    }
}

/// <summary>The streams of one mastership, by session.</summary>
internal sealed class WorkerStreams
{
    private readonly ConcurrentDictionary<long, WorkerStream> streams = new();

    public WorkerStream Open(long session) => streams[session] = new WorkerStream(session);

    public void Close(long session) => streams.TryRemove(session, out _);

    public void Send(long session, MasterMessage message)
    {
        if (streams.TryGetValue(session, out var stream))
        {
            stream.Send(message);
        }
    }

    public void End(long session, string reason)
    {
        if (streams.TryRemove(session, out var stream))
        {
            stream.End(reason);
        }
    }

    public void EndAll(string reason)
    {
        foreach (var session in streams.Keys)
        {
            End(session, reason);
        }
    }
}
