using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Hexcast.Harness;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Platform.Tests.Cluster;

/// <summary>A clock that stands at one moment.</summary>
internal sealed class At(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}

/// <summary>A cluster's first node, running with a real listener, and whoever comes to it.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("hexcast-nodes-").FullName;
    private readonly List<HexcastNode> nodes = [];

    private TestCluster()
    {
    }

    public ClusterIdentity First { get; private set; } = null!;

    public HexcastNode FirstNode => nodes[0];

    public IPEndPoint FirstGrpc => IPEndPoint.Parse(First.Address);

    /// <param name="clock">When the cluster was made.</param>
    public static async Task<TestCluster> StartAsync(TimeProvider? clock = null)
    {
        var cluster = new TestCluster();
        cluster.First = Enrol.Found(
            cluster.FolderOf("node-1"), "node-1", FreePort(), advertise: null, clock ?? TimeProvider.System);
        await cluster.StartAsync(cluster.First);
        return cluster;
    }

    public string FolderOf(string node)
    {
        var folder = Path.Combine(root, node);
        Directory.CreateDirectory(folder);
        return folder;
    }

    public async Task<HexcastNode> StartAsync(ClusterIdentity identity)
    {
        var data = Path.GetDirectoryName(identity.Folder)!;
        var node = HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = data,
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = IPEndPoint.Parse(identity.Address),
                NodeId = identity.Node,
                LogFile = Path.Combine(data, "log"),
                Cluster = identity,
            },
            new ConfigurationBuilder().Build(), []);
        nodes.Add(node);
        await node.StartAsync(CancellationToken.None);
        return node;
    }

    public string Token(TimeSpan? time = null, int uses = 1, TimeProvider? clock = null) => Enrol.Token(
        FolderOf("node-1"), time ?? TimeSpan.FromMinutes(10), uses, [], clock ?? TimeProvider.System).Text;

    public Task<ClusterIdentity> JoinAsync(string node, string? token = null) => Enrol.JoinAsync(
        FolderOf(node), token ?? Token(), node, FreePort(), advertise: null, TimeProvider.System,
        CancellationToken.None);

    /// <summary>To the first node, by the certificate of a node that runs.</summary>
    public GrpcChannel ChannelOf(HexcastNode node, string? expected = null) =>
        node.Services.GetRequiredService<NodeChannels>().Open(First.Address, expected);

    /// <summary>To the first node, by whatever is shown; null: nothing.</summary>
    public GrpcChannel ChannelWith(X509Certificate2? shown) => GrpcChannel.ForAddress(
        $"https://{First.Address}",
        new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                SslOptions =
                {
                    LocalCertificateSelectionCallback = (_, _, _, _, _) => shown!,
                    // Whether the server is right is not what these ask.
                    RemoteCertificateValidationCallback = (_, server, _, _) => server is not null,
                },
            },
            DisposeHttpClient = true,
        });

    /// <summary>A certificate of this cluster's CA with a key of its own.</summary>
    public X509Certificate2 Issue(string clusterId, string node, DateTimeOffset at)
    {
        using var authority = ClusterAuthority.Load(First);
        return Issue(authority, clusterId, node, at);
    }

    public static X509Certificate2 Issue(ClusterAuthority authority, string clusterId, string node, DateTimeOffset at)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = authority.Issue(new PublicKey(key), clusterId, node, "127.0.0.1:1", at);
        return certificate.CopyWithPrivateKey(key);
    }

    public string Log(string node)
    {
        using var reader = new StreamReader(new FileStream(
            Path.Combine(FolderOf(node), "log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    public static IPEndPoint FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return (IPEndPoint)probe.LocalEndpoint;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }

        foreach (var data in Directory.GetDirectories(root))
        {
            NodeEvidence.KeepLog(Path.Combine(data, "log"));
        }

        Directory.Delete(root, recursive: true);
    }
}
