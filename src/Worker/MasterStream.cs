using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Contracts.V1;

namespace Hexcast.Worker;

/// <summary>One stream to the master, from its opening to its end, whatever ends it.</summary>
internal sealed class MasterStream : IDisposable
{
    // Heartbeats wait here when the master does not read. Over it the stream is given up: a new one starts afresh.
    private const int OutgoingLimit = 64;

    private readonly Channel<WorkerMessage> outgoing = Channel.CreateBounded<WorkerMessage>(
        new BoundedChannelOptions(OutgoingLimit) { SingleReader = true });

    private readonly CancellationTokenSource stop;

    public MasterStream(int session, CancellationToken workerStop)
    {
        Session = session;
        stop = CancellationTokenSource.CreateLinkedTokenSource(workerStop);
    }

    public int Session { get; }

    public void Send(WorkerMessage message)
    {
        if (!outgoing.Writer.TryWrite(message))
        {
            Close();
        }
    }

    public void Close() => stop.Cancel();

    public void Dispose() => stop.Dispose();

    /// <summary>Ends with what broke the stream; null when the master ended it in order.</summary>
    public async Task<Exception?> RunAsync(
        Scheduler.SchedulerClient master, Func<WorkerEvent, ValueTask> post)
    {
        try
        {
            using var call = master.StreamHeartbeat(cancellationToken: stop.Token);
            await post(new WorkerEvent.StreamOpened(Session));
            var writing = WriteAsync(call.RequestStream);
            try
            {
                await foreach (var message in call.ResponseStream.ReadAllAsync(stop.Token))
                {
                    await post(new WorkerEvent.Received(Session, message));
                }
            }
            finally
            {
                Close();
                await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            return null;
        }
        catch (Exception broken) when (broken is RpcException or OperationCanceledException or IOException)
        {
            return broken;
        }
    }

    private async Task WriteAsync(IClientStreamWriter<WorkerMessage> requests)
    {
        try
        {
            await foreach (var message in outgoing.Reader.ReadAllAsync(stop.Token))
            {
                await requests.WriteAsync(message, stop.Token);
            }
        }
        finally
        {
            // Also when a write fails: the reader must not wait on for a master that hears nothing.
            Close();
        }
    }
}
