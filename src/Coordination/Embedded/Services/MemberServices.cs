using Grpc.Core;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded.Services;

internal sealed class MaintenanceService(EmbeddedCoordinatorHolder holder) : Maintenance.MaintenanceBase
{
    public override Task<StatusResponse> Status(StatusRequest request, ServerCallContext context) =>
        holder.Coordinator.ReadAsync<StatusResponse>(request, context.CancellationToken);
}

/// <summary>One voter: itself, at the address that clients reach it by.</summary>
internal sealed class ClusterService(EmbeddedCoordinatorHolder holder) : Cluster.ClusterBase
{
    public override async Task<MemberListResponse> MemberList(MemberListRequest request, ServerCallContext context)
    {
        var coordinator = holder.Coordinator;
        var status = await coordinator.ReadAsync<StatusResponse>(new StatusRequest(), context.CancellationToken);
        var member = new Member { ID = coordinator.Identity.MemberId, Name = coordinator.Identity.NodeName };
        member.ClientURLs.Add(holder.ClientUrl);
        var response = new MemberListResponse { Header = status.Header };
        response.Header.Revision = 0;
        response.Members.Add(member);
        return response;
    }
}
