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
    RoleDirectory directory, RoleChannel here, NodeSettings node, NodeRoles roles, NodeChannels channels,
    TimeProvider clock)
    : IRoleRoutes, IDisposable
{
    private const string MasterRole = "master";

    private const int ChannelLimit = 1_024;

    /// <summary>A node that etcd has lost for a moment keeps its channel, and the calls that run over it.</summary>
    private static readonly TimeSpan KeptWhenGone = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<(string Node, string Grpc), Link> links = [];
    private uint turns;

    private sealed class Link(GrpcChannel channel)
    {
        public GrpcChannel Channel => channel;

        public CallInvoker Invoker { get; } = channel.CreateCallInvoker();

        /// <summary>When it was first seen that nobody offers this any more.</summary>
        public long? Gone { get; set; }
    }

    /// <summary>Channels that are open.</summary>
    internal int Count
    {
        get
        {
            lock (gate)
            {
                return links.Count;
            }
        }
    }

    public Task Moved => directory.Moved;

    public CallInvoker To(string role) => new RoutedInvoker(() => Find(role));

    public RolePlace? PlaceOf(string role) =>
        directory.Of(role) is [var place, ..] ? new RolePlace(place.Node, place.Grpc) : null;

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var link in links.Values)
            {
                link.Channel.Dispose();
            }
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

    private CallInvoker LinkTo(ServiceAddress offer)
    {
        var to = (offer.Node, offer.Grpc);
        lock (gate)
        {
            if (!links.TryGetValue(to, out var link))
            {
                CloseGone();
                if (links.Count >= ChannelLimit)
                {
                    throw Unknown($"this node speaks to {ChannelLimit} others already");
                }

                links[to] = link = new Link(channels.Open(offer.Grpc, offer.Node));
            }

            link.Gone = null;
            return link.Invoker;
        }
    }

    // When another one is opened: so there are never many more than there are nodes.
    private void CloseGone()
    {
        foreach (var (place, link) in links.Where(pair => !directory.IsAt(pair.Key.Node, pair.Key.Grpc)).ToList())
        {
            link.Gone ??= clock.GetTimestamp();
            if (clock.GetElapsedTime(link.Gone.Value) >= KeptWhenGone)
            {
                links.Remove(place);
                link.Channel.Dispose();
            }
        }
    }

    private static RpcException Unknown(string why) => new(new Status(StatusCode.Unavailable, $"Ask again: {why}."));
}
