using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Platform.Hosting;

namespace Hexcast.Coordination.Discovery;

/// <summary>
/// Routes over the nodes of a cluster. Calls of the master go to the node that is elected; those of any other role to
/// this process if it runs the role, and otherwise to one node after the other that does.
/// </summary>
internal sealed class ClusterRoutes(
    RoleDirectory directory, RoleChannel here, NodeSettings node, NodeRoles roles, TimeProvider clock)
    : IRoleRoutes, IDisposable
{
    private const string MasterRole = "master";

    /// <summary>Of nodes that have gone too: an address is a small thing, and comes back when its node does.</summary>
    private const int ChannelLimit = 1_024;

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PingTime = TimeSpan.FromSeconds(6);

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
                : directory.Of(role, master) is { } elected ? LinkTo(elected.Grpc)
                : throw Unknown($"the master is {master}, whose address is not known");
        }

        if (roles.Names.Contains(role))
        {
            return here.Invoker;
        }

        var nodes = directory.Of(role);
        return nodes.Count > 0
            ? LinkTo(nodes[(int)(Interlocked.Increment(ref turns) % (uint)nodes.Count)].Grpc)
            : throw Unknown($"no node runs {role}");
    }

    private CallInvoker LinkTo(string address)
    {
        if (links.Count >= ChannelLimit && !links.ContainsKey(address))
        {
            throw Unknown($"this node has spoken to {ChannelLimit} addresses; it has to be started again");
        }

        return links.GetOrAdd(address, key => new Lazy<Link>(() => Open(key))).Value.Invoker;
    }

    private Link Open(string address)
    {
        var channel = GrpcChannel.ForAddress($"http://{address}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                ConnectTimeout = ConnectTime,
                // A node that is gone without a word is noticed after nine seconds.
                KeepAlivePingDelay = PingDelay,
                KeepAlivePingTimeout = PingTime,
                KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
                UseProxy = false,
            },
            DisposeHttpClient = true,
            TimeProvider = clock,
        });
        return new Link(channel, channel.CreateCallInvoker());
    }

    private static RpcException Unknown(string why) => new(new Status(StatusCode.Unavailable, $"Ask again: {why}."));
}
