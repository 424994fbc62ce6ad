using Grpc.Core;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded.Services;

internal sealed class MaintenanceService(EmbeddedCoordinatorHolder holder) : Maintenance.MaintenanceBase
{
    public override Task<StatusResponse> Status(StatusRequest request, ServerCallContext context) =>
        holder.Requests.ReadAsync<StatusResponse>(request, context.CancellationToken);
}

/// <summary>The members, at the addresses that clients and other members reach them by.</summary>
internal sealed class ClusterService(EmbeddedCoordinatorHolder holder) : Cluster.ClusterBase
{
    public override async Task<MemberListResponse> MemberList(MemberListRequest request, ServerCallContext context)
    {
        var status = await holder.Requests.ReadAsync<StatusResponse>(new StatusRequest(), context.CancellationToken);
        var response = new MemberListResponse { Header = status.Header };
        response.Header.Revision = 0;
        var standing = holder.Coordinator.Standing;
        foreach (var known in standing.Known.Where(known => standing.Members.Contains(known.Id)))
        {
            var member = new Member
            {
                ID = known.Id, Name = known.Node, IsLearner = standing.Members.IsLearner(known.Id),
            };
            // etcdctl puts the scheme of http into :authority, which no strict HTTP/2 server takes.
            member.ClientURLs.Add(holder.Settings.Scheme == "http" ? known.Address : $"https://{known.Address}");
            member.PeerURLs.Add($"{holder.Settings.Scheme}://{known.Address}");
            response.Members.Add(member);
        }
        return response;
    }
}
