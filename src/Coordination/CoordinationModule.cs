using System.Net;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Client.Members;
using Hexcast.Coordination.Discovery;
using Hexcast.Coordination.Election;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Services;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Configuration;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Hexcast.Raft;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination;

/// <summary>
/// Gives every role its <see cref="CoordinatorClient"/>, and in mode Embedded the coordinator that answers it. Stands
/// before all roles that use it in the table: it is recovered and leading before they start.
/// </summary>
public sealed class CoordinationModule : RoleModule
{
    private const string Section = "Coordination";
    private const string Folder = "coordinator";

    internal const string ClusterName = "hexcast";

    private CoordinationMode _mode;

    /// <summary>Whether nodes find each other: a role may call others that its process lacks.</summary>
    public static bool IsShared(IConfiguration configuration, NodeSettings node) => IsShared(
        configuration.GetSection("Coordination").Get<CoordinationOptions>() ?? new CoordinationOptions(), node);

    /// <summary>Where a node keeps the coordinator's log.</summary>
    public static string DirectoryIn(string dataFolder) => Path.Combine(dataFolder, Folder);

    /// <summary>Whether the coordinator is an etcd, which keeps its log itself.</summary>
    public static bool IsEtcd(IConfiguration configuration) =>
        configuration.GetSection(Section).Get<CoordinationOptions>() is { Mode: CoordinationMode.Etcd };

    /// <summary>Asks etcd's members whether they would let this node in, where it is to use them.</summary>
    /// <returns>What is wrong, in words.</returns>
    /// <exception cref="ConfigurationException">The options themselves are wrong.</exception>
    public static async Task<IReadOnlyList<string>> TryAsync(
        IConfiguration configuration, TimeProvider clock, CancellationToken cancel)
    {
        var options = OptionsBinder.Bind<CoordinationOptions>(configuration, Section);
        return options.Mode == CoordinationMode.Etcd ? await EtcdTrial.ProblemsAsync(options, clock, cancel) : [];
    }

    public override void AddServices(RoleBuilder role)
    {
        var options = role.AddOptions<CoordinationOptions>(Section);
        _mode = options.Mode;
        role.Services.AddSingleton<MasterElection>();
        role.Services.AddSingleton<ClusterNodes>();
        if (_mode == CoordinationMode.Etcd)
        {
            RequireReach(role.Node, options);
            AddEtcd(role, options);
            AddDiscovery(role);
            role.Services.AddHostedService<HistoryCompaction>();
            FollowRemovals(role);
            return;
        }
        role.Services.AddSingleton(provider => new EmbeddedCoordinatorSettings(
            role.DataFolder(Folder),
            ClusterName,
            role.Node.NodeId,
            Address: role.Node.Address,
            new CoordinatorLimits
            {
                SnapshotEntries = options.SnapshotEntries,
                HistoryRevisions = options.HistoryRevisions,
                StoreBytes = options.MaximumStoreMebibytes * 1024L * 1024,
                Voters = options.Voters,
                Raft = RaftOptions.For(TimeSpan.FromMilliseconds(options.ElectionTimeoutMilliseconds)),
            },
            [.. options.Join.Concat(role.Node.Cluster?.Seeds ?? []).Where(address => address != role.Node.Address)],
            provider.GetRequiredService<NodeChannels>().OpenToMember)
        {
            Scheme = role.Node.Cluster is null ? "http" : "https",
            Shared = SignOfOthers(options, role.Node),
            MayLead = !IsShared(options, role.Node)
                || provider.GetRequiredService<NodeRoles>().Names.Contains("master"),
        });
        role.Services.AddSingleton<MembershipService>();
        role.Services.AddSingleton<EmbeddedCoordinatorHolder>();
        role.Services.AddHostedService(provider => provider.GetRequiredService<EmbeddedCoordinatorHolder>());
        role.Services.AddSingleton(provider =>
        {
            var holder = provider.GetRequiredService<EmbeddedCoordinatorHolder>();
            var here = provider.GetRequiredService<RoleChannel>().Invoker;
            return new CoordinatorClient(
                new RoutedInvoker(() => holder.Elsewhere ?? here), provider.GetRequiredService<TimeProvider>());
        });
        if (IsShared(options, role.Node))
        {
            RequireReach(role.Node, options);
            // After the coordinator that it asks.
            AddDiscovery(role);
        }
        FollowRemovals(role);
    }

    public override void MapGrpc(IEndpointRouteBuilder grpc)
    {
        if (_mode == CoordinationMode.Embedded)
        {
            CoordinationTelemetry.Zero();
            grpc.MapGrpcService<KvService>();
            grpc.MapGrpcService<WatchService>();
            grpc.MapGrpcService<LeaseService>();
            grpc.MapGrpcService<MaintenanceService>();
            grpc.MapGrpcService<ClusterService>();
            grpc.MapGrpcService<RaftService>();
            grpc.MapGrpcService<MembershipService>();
        }
        else
        {
            grpc.MapGrpcService<EtcdMembershipService>();
        }
    }

    private static void FollowRemovals(RoleBuilder role)
    {
        if (role.Node.Cluster is not null)
        {
            role.Services.AddHostedService<RemovalFollower>();
        }
    }

    private static void AddEtcd(RoleBuilder role, CoordinationOptions options)
    {
        new EtcdAccess(options, TimeProvider.System).Check();
        role.Services.AddSingleton<EtcdAccess>();
        role.Services.AddSingleton(provider => new EtcdLogin(
            options.User, provider.GetRequiredService<EtcdAccess>().Password,
            provider.GetRequiredService<TimeProvider>()));
        role.Services.AddSingleton(provider => new CoordinatorMembers(
            options.Endpoints, provider.GetRequiredService<EtcdAccess>().Open,
            provider.GetRequiredService<EtcdLogin>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<CoordinatorMembers>>()));
        // First of all, and so the last to stop: what the others keep there is taken back through it.
        role.Services.AddHostedService(provider => provider.GetRequiredService<CoordinatorMembers>());
        role.Services.AddSingleton<MembersInvoker>();
        role.Services.AddSingleton(provider => new CoordinatorClient(
            provider.GetRequiredService<MembersInvoker>(), provider.GetRequiredService<TimeProvider>()));
    }

    /// <summary>A node of a cluster without certificates keeps nothing of the others but what its registration left.
    /// </summary>
    private static string? SignOfOthers(CoordinationOptions options, NodeSettings node) => node.Cluster switch
    {
        { HasLetIn: true } identity => $"{identity.NodesFolder} names nodes that this one has let in",
        null when IsShared(options) && NodeRegistration.WasHere(node.DataFolder) is { } left =>
            $"{left} says that this node was one of a cluster",
        _ => null,
    };

    private static bool IsShared(CoordinationOptions options, NodeSettings node) =>
        node.Cluster is not null || IsShared(options);

    private static bool IsShared(CoordinationOptions options) =>
        options.Mode == CoordinationMode.Etcd || options.Cluster || options.Join.Length > 0;

    private static void AddDiscovery(RoleBuilder role)
    {
        role.Services.AddSingleton<RoleDirectory>();
        role.Services.AddSingleton<IRoleRoutes, ClusterRoutes>();
        role.Services.AddSingleton<IKnownNodes>(provider => provider.GetRequiredService<RoleDirectory>());
        role.Services.AddHostedService(provider => provider.GetRequiredService<RoleDirectory>());
        role.Services.AddSingleton<NodeRegistration>();
        role.Services.AddHostedService(provider => provider.GetRequiredService<NodeRegistration>());
    }

    private static void RequireReach(NodeSettings node, CoordinationOptions options)
    {
        var address = node.Grpc.Address;
        if (node.Advertise is null && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            || (IPAddress.IsLoopback(address) && !Others(node, options).All(other => other.IsLoopback))))
        {
            throw new ConfigurationException([
                $"--grpc {node.Grpc}: the other nodes of the cluster reach this one there. " +
                "Give an address that they can reach, or say with --advertise where that is."]);
        }

        if (node.NodeId == NodeSettings.Alone)
        {
            throw new ConfigurationException([
                "--node: every node of a cluster needs a name of its own, such as --node encoder-1."]);
        }
    }

    private static IEnumerable<Uri> Others(NodeSettings node, CoordinationOptions options) =>
        options.Mode == CoordinationMode.Etcd
            ? options.Endpoints.Select(endpoint => new Uri(endpoint))
            : options.Join.Concat(node.Cluster?.Seeds ?? []).Select(address => new Uri($"http://{address}"));
}
