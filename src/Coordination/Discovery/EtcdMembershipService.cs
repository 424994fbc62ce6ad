using Grpc.Core;
using Hexcast.Contracts.V1;

namespace Hexcast.Coordination.Discovery;

/// <summary>Who belongs to a cluster whose coordinator is an etcd: its members are etcd's own affair.</summary>
internal sealed class EtcdMembershipService(ClusterNodes nodes) : Membership.MembershipBase
{
    public override Task<DescribeClusterResponse> DescribeCluster(
        DescribeClusterRequest request, ServerCallContext context) =>
        nodes.DescribeProvenAsync(context.CancellationToken);

    public override async Task<RemoveNodeResponse> RemoveNode(RemoveNodeRequest request, ServerCallContext context)
    {
        await nodes.RequireRemovableAsync(request.Node, isMember: false, request.Force, context.CancellationToken);
        await nodes.ShutOutAsync(request.Node, context.CancellationToken);
        return new RemoveNodeResponse();
    }

    public override Task<TransferLeadershipResponse> TransferLeadership(
        TransferLeadershipRequest request, ServerCallContext context) => throw new RpcException(new Status(
            StatusCode.FailedPrecondition, "etcd elects the master here: stop its node, and another takes over."));
}
