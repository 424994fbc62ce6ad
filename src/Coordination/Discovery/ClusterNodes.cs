using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;

namespace Hexcast.Coordination.Discovery;

/// <summary>The nodes as a person asks for them, whatever the coordinator is.</summary>
internal sealed class ClusterNodes(
    CoordinatorClient coordinator, NodeSettings here, NodeChannels channels, RoleDirectory? directory = null)
{
    public DescribeClusterResponse Describe()
    {
        var answer = new DescribeClusterResponse
        {
            AnsweredBy = here.NodeId, Master = directory?.Master ?? "",
        };
        foreach (var node in (directory?.All ?? []).GroupBy(offer => offer.Node))
        {
            var entry = new ClusterNode { Node = node.Key, Address = node.First().Grpc };
            entry.Roles.AddRange(node.Select(offer => offer.Role));
            answer.Nodes.Add(entry);
        }
        return answer;
    }

    /// <summary>From now on its certificate counts nowhere, whether the node is there or not.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: no node can be called that.</exception>
    public async Task ShutOutAsync(string node, CancellationToken cancellation)
    {
        if (!NodeSettings.IsName(node))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"No node can be called '{node}'."));
        }
        if (channels.AreProven)
        {
            await coordinator.PutAsync(RemovedNodes.KeyPrefix + node, ByteString.Empty, cancellation);
        }
    }
}
