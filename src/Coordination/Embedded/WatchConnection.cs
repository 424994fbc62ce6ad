using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded;

/// <summary>The shell's end of one watch stream: requests go in, responses come out in order.</summary>
internal sealed class WatchConnection(
    EmbeddedCoordinator coordinator, long streamId, Channel<WatchResponse> responses) : IAsyncDisposable
{
    /// <returns>False once the coordinator stops.</returns>
    public ValueTask<bool> RequestAsync(WatchRequest request) =>
        coordinator.TryPostAsync(new CoordinatorEvent.WatchAsked(streamId, request), this);

    /// <exception cref="RpcException">The coordinator stops, or the client asks for more than it reads.</exception>
    public ValueTask<WatchResponse> ReadAsync(CancellationToken cancellation) =>
        responses.Reader.ReadAsync(cancellation);

    /// <summary>The response is on the wire: its events no longer count against the stream.</summary>
    public async ValueTask TakenAsync(WatchResponse response)
    {
        if (response.Events.Count > 0)
        {
            await coordinator.TryPostAsync(new CoordinatorEvent.WatchTaken(streamId, response.Events.Count), this);
        }
    }

    /// <summary>By the loop only.</summary>
    internal void Deliver(WatchResponse response)
    {
        if (!responses.Writer.TryWrite(response))
        {
            End(CoordinatorError.TooManyRequests);
        }
    }

    /// <summary>By the loop only.</summary>
    internal void End(CoordinatorError error) =>
        responses.Writer.TryComplete(new RpcException(CoordinatorErrors.StatusOf(error)));

    public async ValueTask DisposeAsync() =>
        await coordinator.TryPostAsync(new CoordinatorEvent.WatchClosed(streamId), this);
}
