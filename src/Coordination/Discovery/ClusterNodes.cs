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

    /// <exception cref="RpcException">NOT_FOUND: no node of this name is there.</exception>
    public void RequireKnown(string node)
    {
        if (directory?.All.Any(offer => offer.Node == node) != true)
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"No node is called {node}."));
        }
    }

    /// <summary>From now on its certificate counts nowhere.</summary>
    public async Task ShutOutAsync(string node, CancellationToken cancellation)
    {
        if (channels.AreProven)
        {
            await coordinator.PutAsync(RemovedNodes.KeyPrefix + node, ByteString.Empty, cancellation);
        }
    }
}
