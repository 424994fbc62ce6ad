using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;

namespace Hexcast.Harness;

/// <summary>
/// Nodes, each a process of its own; they share their coordinator and the folder of objects, and nothing else. Either
/// six: the pages and the catalogue on one, and five that work, of which two may be the master too. Or three that may
/// be the master and do nothing else.
/// </summary>
public sealed class NodeCluster : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, PlatformProcess> nodes = [];
    private readonly string folder;
    private readonly bool isEmbedded;
    private readonly Func<string, Task<ProcessPlace>> placeOf;

    private NodeCluster(string folder, bool isEmbedded, Func<string, Task<ProcessPlace>>? placeOf = null) =>
        (this.folder, this.isEmbedded, this.placeOf) =
        (folder, isEmbedded, placeOf ?? (_ => Task.FromResult(ProcessPlace.Here)));

    public PlatformProcess Front => nodes["front"];

    public IEnumerable<PlatformProcess> Nodes => nodes.Values;

    /// <summary>The folder of what they store.</summary>
    public string Objects => Path.Combine(folder, "objects");

    public PlatformProcess Node(string name) => nodes[name];

    public string NameOf(PlatformProcess node) => nodes.Single(pair => pair.Value == node).Key;

    /// <summary>Those that work and may be the master; kept apart, they start first.</summary>
    public static readonly IReadOnlyList<string> Masters = ["node-2", "node-3"];

    /// <summary>Those that only work.</summary>
    public static readonly IReadOnlyList<string> Workers = ["node-4", "node-5", "node-6"];

    /// <summary>Whether a node may be the master; the one with the catalogue only where it keeps the coordinator.
    /// </summary>
    public bool MayLead(PlatformProcess node) =>
        Masters.Contains(NameOf(node)) || (isEmbedded && node == Front);

    /// <summary>On an etcd that is there.</summary>
    public static Task<NodeCluster> StartOnEtcdAsync(string folder, IReadOnlyDictionary<string, string> settings) =>
        Started.WholeAsync(new NodeCluster(folder, isEmbedded: false), cluster => Task.WhenAll([
            cluster.StartAsync("front", "catalog,upload,playback,dashboard", settings),
            .. Masters.Select(name => cluster.StartAsync(name, "worker,master", settings)),
            .. Workers.Select(name => cluster.StartAsync(name, "worker", settings)),
        ]));

    /// <summary>Three that may be master, and do nothing else, on an etcd that is there.</summary>
    public static Task<NodeCluster> StartMastersOnEtcdAsync(
        string folder,
        IReadOnlyDictionary<string, string> settings,
        Func<string, Task<ProcessPlace>>? placeOf = null) =>
        Started.WholeAsync(new NodeCluster(folder, isEmbedded: false, placeOf), cluster => Task.WhenAll(
            ((string[])["front", "master-1", "master-2"]).Select(
                name => cluster.StartAsync(name, "master", settings))));

    /// <summary>On a coordinator of its own, that the first three keep. The first one may be master too.</summary>
    public static Task<NodeCluster> StartEmbeddedAsync(
        string folder, IReadOnlyDictionary<string, string>? settings = null) =>
        Started.WholeAsync(new NodeCluster(folder, isEmbedded: true), async cluster =>
        {
            var all = settings ?? new Dictionary<string, string>();
            await cluster.StartAsync(
                "front", "catalog,upload,playback,dashboard,master",
                new Dictionary<string, string>(all) { ["Coordination:Cluster"] = "true" });
            var joining = new Dictionary<string, string>(all) { ["Coordination:Join:0"] = cluster.Front.Grpc };
            await Task.WhenAll(Masters.Select(name => cluster.StartAsync(name, "worker,master", joining)));
            await Task.WhenAll(Workers.Select(name => cluster.StartAsync(name, "worker", joining)));
        });

    /// <summary>Three that keep the coordinator and may be master, and do nothing else.</summary>
    /// <param name="folder">Of their data.</param>
    /// <param name="settings">Of each.</param>
    /// <param name="placeOf">Where a node of that name runs; null: here.</param>
    public static Task<NodeCluster> StartVotersAsync(
        string folder,
        IReadOnlyDictionary<string, string>? settings = null,
        Func<string, Task<ProcessPlace>>? placeOf = null) =>
        Started.WholeAsync(new NodeCluster(folder, isEmbedded: true, placeOf), async cluster =>
        {
            // On a network of its own nobody else is.
            var all = new Dictionary<string, string>(settings ?? new Dictionary<string, string>())
            {
                ["Access:AllowOpenGrpc"] = "true",
                ["Access:AllowPlainHttp"] = "true",
            };
            await cluster.StartAsync(
                "front", "master", new Dictionary<string, string>(all) { ["Coordination:Cluster"] = "true" });
            var joining = new Dictionary<string, string>(all) { ["Coordination:Join:0"] = cluster.Front.Grpc };
            await Task.WhenAll(
                cluster.StartAsync("master-1", "master", joining), cluster.StartAsync("master-2", "master", joining));
        });

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes.Values)
        {
            await node.DisposeAsync();
        }
    }

    /// <summary>The node that says that it is the master, once one does; never the one with the catalogue.</summary>
    public async Task<PlatformProcess> MasterAsync()
    {
        PlatformProcess? master = null;
        await Wait.ForAsync(
            async () =>
            {
                if (isEmbedded && await IsMasterAsync(Front))
                {
                    await HandOverAsync(Front);
                }

                foreach (var name in Masters)
                {
                    master = await IsMasterAsync(nodes[name]) ? nodes[name] : master;
                }

                return master is not null;
            },
            Limit, () => "nobody is the master");
        return master!;
    }

    /// <summary>Whichever node says that it is the master, once one does.</summary>
    public async Task<PlatformProcess> LeaderAsync()
    {
        PlatformProcess? leader = null;
        await Wait.ForAsync(
            async () =>
            {
                foreach (var node in nodes.Values)
                {
                    leader = await IsMasterAsync(node) ? node : leader;
                }

                return leader is not null;
            },
            Limit, () => "nobody is the master");
        return leader!;
    }

    /// <summary>The only one of them that says that it is the master, once there is one.</summary>
    public async Task<string> OnlyMasterAsync(IReadOnlyList<string> among)
    {
        string? master = null;
        await Wait.ForAsync(
            async () =>
            {
                var says = await Task.WhenAll(among.Select(name => IsMasterAsync(Node(name))));
                master = says.Count(one => one) == 1 ? among[says.IndexOf(true)] : null;
                return master is not null;
            },
            Limit, () => $"there is not one master:\n{string.Join('\n', among.Select(name => Node(name).Log))}");
        return master!;
    }

    public static async Task<bool> IsMasterAsync(PlatformProcess node)
    {
        if (!node.IsRunning)
        {
            return false;
        }

        using var limit = new CancellationTokenSource(AnswerTime);
        try
        {
            using var answer = await node.Http.GetAsync("/schedule", limit.Token);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException)
        {
            // It stands still, or was killed just now.
            return false;
        }
    }

    /// <summary>To whichever of the others is there.</summary>
    private static async Task HandOverAsync(PlatformProcess leader)
    {
        using var channel = GrpcChannel.ForAddress($"http://{leader.Grpc}");
        try
        {
            await new Membership.MembershipClient(channel.CreateCallInvoker()).TransferLeadershipAsync(
                new TransferLeadershipRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime + AnswerTime);
        }
        catch (RpcException)
        {
            // Nobody could take it just now: it is asked again.
        }
    }

    private async Task StartAsync(string name, string roles, IReadOnlyDictionary<string, string> settings)
    {
        var node = await PlatformProcess.StartAtAsync(
            await placeOf(name),
            Path.Combine(folder, name),
            new Dictionary<string, string>(settings)
            {
                ["Objects:Folder"] = Objects,
                ["Worker:Slots"] = "2",
            },
            "--target", roles, "--node", name);
        lock (nodes)
        {
            nodes.Add(name, node);
        }
    }
}
