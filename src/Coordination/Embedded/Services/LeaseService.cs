using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Leases;
using Hexcast.Coordination.Embedded.Log;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Coordination.Embedded.Services;

internal sealed class LeaseService(EmbeddedCoordinatorHolder holder, IHostApplicationLifetime process) : Lease.LeaseBase
{
    public override Task<LeaseGrantResponse> LeaseGrant(LeaseGrantRequest request, ServerCallContext context)
    {
        Refuse.If(request.TTL > LeaseTable.MaximumSeconds
            ? CoordinatorError.LeaseTimeTooLarge
            : CoordinatorError.None);
        return holder.Requests.ProposeAsync<LeaseGrantResponse>(
            new Command { LeaseGrant = request }, context.CancellationToken);
    }

    public override Task<LeaseRevokeResponse> LeaseRevoke(LeaseRevokeRequest request, ServerCallContext context) =>
        holder.Requests.ProposeAsync<LeaseRevokeResponse>(
            new Command { LeaseRevoke = request }, context.CancellationToken);

    public override async Task LeaseKeepAlive(
        IAsyncStreamReader<LeaseKeepAliveRequest> requestStream,
        IServerStreamWriter<LeaseKeepAliveResponse> responseStream,
        ServerCallContext context)
    {
        // A stream would hold up a stopping process until its time-out.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken, process.ApplicationStopping);
        try
        {
            while (await requestStream.MoveNext(stop.Token))
            {
                var response = await holder.Requests.KeepAliveAsync(requestStream.Current.ID, stop.Token);
                await responseStream.WriteAsync(response, stop.Token);
            }
        }
        catch (OperationCanceledException) when (process.ApplicationStopping.IsCancellationRequested)
        {
            throw new RpcException(CoordinatorErrors.StatusOf(CoordinatorError.Stopped));
        }
    }

    public override Task<LeaseTimeToLiveResponse> LeaseTimeToLive(
        LeaseTimeToLiveRequest request, ServerCallContext context) =>
        holder.Requests.ReadAsync<LeaseTimeToLiveResponse>(request, context.CancellationToken);

    public override Task<LeaseLeasesResponse> LeaseLeases(LeaseLeasesRequest request, ServerCallContext context) =>
        holder.Requests.ReadAsync<LeaseLeasesResponse>(request, context.CancellationToken);
}
