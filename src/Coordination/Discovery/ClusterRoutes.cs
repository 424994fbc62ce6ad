using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;

namespace Hexcast.Coordination.Discovery;

/// <summary>
/// Routes over the nodes of a cluster. Calls of the master go to the node that is elected; those of any other role to
/// this process if it runs the role, and otherwise to one node after the other that does.
/// </summary>
internal sealed class ClusterRoutes(
    RoleDirectory directory, RoleChannel here, NodeSettings node, NodeRoles roles, NodeChannels channels)
    : IRoleRoutes, IDisposable
{
    private const string MasterRole = "master";

    /// <summary>Of nodes that have gone too: an address is a small thing, and comes back when its node does.</summary>
    private const int ChannelLimit = 1_024;

    private readonly ConcurrentDictionary<string, Lazy<Link>> links = new(StringComparer.Ordinal);
    private uint turns;

    private sealed record Link(GrpcChannel Channel, CallInvoker Invoker);

    public Task Moved => directory.Moved;

    public CallInvoker To(string role) => new RoutedInvoker(() => Find(role));

    public void Dispose()
    {
        foreach (var link in links.Values)
        {
            link.Value.Channel.Dispose();
        }
    }

    private CallInvoker Find(string role)
    {
        if (role == MasterRole)
        {
            return directory.Master is not { } master ? throw Unknown("no master is elected")
                : master == node.NodeId ? here.Invoker
                : directory.Of(role, master) is { } elected ? LinkTo(elected)
                : throw Unknown($"the master is {master}, whose address is not known");
        }

        if (roles.Names.Contains(role))
        {
            return here.Invoker;
        }

        var nodes = directory.Of(role);
        return nodes.Count > 0
            ? LinkTo(nodes[(int)(Interlocked.Increment(ref turns) % (uint)nodes.Count)])
            : throw Unknown($"no node runs {role}");
    }

    private CallInvoker LinkTo(ServiceAddress to)
    {
        var address = $"{to.Node}@{to.Grpc}";
        if (links.Count >= ChannelLimit && !links.ContainsKey(address))
        {
            throw Unknown($"this node has spoken to {ChannelLimit} addresses; it has to be started again");
        }

        return links.GetOrAdd(address, _ => new Lazy<Link>(() => Open(to))).Value.Invoker;
    }

    private Link Open(ServiceAddress to)
    {
        var channel = channels.Open(to.Grpc, to.Node);
        return new Link(channel, channel.CreateCallInvoker());
    }

    private static RpcException Unknown(string why) => new(new Status(StatusCode.Unavailable, $"Ask again: {why}."));
}
