using System.Threading.Channels;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Coordination.Embedded.Services;

internal sealed class WatchService(EmbeddedCoordinatorHolder holder, IHostApplicationLifetime process) : Watch.WatchBase
{
    public override async Task Watch(
        IAsyncStreamReader<WatchRequest> requestStream,
        IServerStreamWriter<WatchResponse> responseStream,
        ServerCallContext context)
    {
        // A stream would hold up a stopping process until its time-out.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken, process.ApplicationStopping);
        await using var connection = holder.Coordinator.OpenWatch();
        var reading = ReadRequestsAsync(requestStream, connection, stop);
        try
        {
            while (true)
            {
                var response = await connection.ReadAsync(stop.Token);
                await responseStream.WriteAsync(response, stop.Token);
                await connection.TakenAsync(response);
            }
        }
        catch (ChannelClosedException exception) when (exception.InnerException is RpcException refusal)
        {
            throw new RpcException(refusal.Status);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Refuse.If(process.ApplicationStopping.IsCancellationRequested
                ? CoordinatorError.Stopped
                : CoordinatorError.None);
        }
        finally
        {
            await stop.CancelAsync();
            await reading;
        }
    }

    private static async Task ReadRequestsAsync(
        IAsyncStreamReader<WatchRequest> requestStream, WatchConnection connection, CancellationTokenSource stop)
    {
        try
        {
            while (await requestStream.MoveNext(stop.Token) && await connection.RequestAsync(requestStream.Current))
            {
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or RpcException)
        {
            // The client left.
        }
        // As etcd: a client that closes its side ends its watches.
        await stop.CancelAsync();
    }
}
