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
    /// <summary>What the master takes from here for a node's slots.</summary>
    private const string SlotsPrefix = "/hexcast/settings/slots/";

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

    /// <summary>As the coordinator has it at this moment; where it does not answer, as it was last heard.</summary>
    public async Task<DescribeClusterResponse> DescribeProvenAsync(CancellationToken cancellation)
    {
        var answer = Describe();
        try
        {
            var key = await coordinator.GetAsync(CoordinatorClient.ElectionKey, cancellation);
            answer.Master = key?.Value.ToStringUtf8() ?? "";
            var known = await coordinator.RangeAsync(NodeRegistration.KnownPrefix, cancellation);
            var away = known.KeyValues
                .Select(value => new ClusterNode
                {
                    Node = value.Key[NodeRegistration.KnownPrefix.Length..], Address = value.Value.ToStringUtf8(),
                })
                .ExceptBy(answer.Nodes.Select(node => node.Node), node => node.Node);
            answer.Nodes.AddRange(away.ToList());
        }
        catch (CoordinatorException silent)
        {
            (answer.Master, answer.Unanswered) = ("", silent.Message);
        }
        return answer;
    }

    /// <summary>Whether there is such a node, and it stays out once it is.</summary>
    /// <param name="isMember">It keeps the coordinator: to take it out of the group is something already.</param>
    /// <param name="force">Whether a name will do that nobody knows.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT, NOT_FOUND or FAILED_PRECONDITION, in words.</exception>
    public async Task RequireRemovableAsync(
        string node, bool isMember, bool force, CancellationToken cancellation)
    {
        if (!NodeSettings.IsName(node))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"No node can be called '{node}'."));
        }
        var runs = directory?.All.Any(offer => offer.Node == node) == true;
        if (runs && !isMember && !channels.AreProven)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                $"Nodes show no certificates here, so {node} would be there again at once. Stop it; then remove it."));
        }
        if (!runs && !isMember && !force && !await WasThereAsync(node, cancellation))
        {
            throw new RpcException(new Status(
                StatusCode.NotFound,
                $"No node is called {node}: ./hexcast cluster status lists them. One that has joined and was never "
                + "started is removed with --force."));
        }
    }

    /// <summary>From now on its certificate counts nowhere, whether the node is there or not, and nobody waits for it.
    /// </summary>
    public Task ShutOutAsync(string node, CancellationToken cancellation)
    {
        Operation[] forget =
            [Operation.Delete(NodeRegistration.KnownPrefix + node), Operation.Delete(SlotsPrefix + node)];
        return coordinator.TxnAsync(
            [],
            channels.AreProven
                ? [Operation.Put(RemovedNodes.KeyPrefix + node, ByteString.Empty), .. forget]
                : forget,
            cancellation);
    }

    // Who is out already may be asked for once more, to finish what was begun.
    private async Task<bool> WasThereAsync(string node, CancellationToken cancellation)
    {
        try
        {
            return await coordinator.GetAsync(NodeRegistration.KnownPrefix + node, cancellation) is not null
                || await coordinator.GetAsync(RemovedNodes.KeyPrefix + node, cancellation) is not null;
        }
        catch (CoordinatorException silent)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, silent.Message));
        }
    }
}
