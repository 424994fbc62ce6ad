using System.Security.Cryptography;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Three nodes that may be master, on an etcd of three members. For the members' disks there is <see cref="EtcdDisk"/>.
/// </summary>
public sealed class EtcdHosts : FaultyHosts
{
    /// <summary>With one it is registered, with the other it is the master or stands for it.</summary>
    private const int LeasesOfANode = 2;

    private static readonly TimeSpan OrderTime = TimeSpan.FromSeconds(2);

    private IReadOnlyList<EtcdMember> etcd = [];

    private EtcdHosts(NodeNetwork network)
        : base(network)
    {
    }

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Hindrance => NodeNetwork.Hindrance ?? NodeFaults.Hindrance ?? EtcdDisk.Hindrance;

    public static async Task<EtcdHosts> StartAsync(string folder) =>
        await Started.WholeAsync(
            new EtcdHosts(await NodeNetwork.StartAsync()), cluster => StartAsync(cluster, folder));

    private static async Task StartAsync(EtcdHosts cluster, string folder)
    {
        cluster.etcd = await EtcdMember.StartAsync(
            Path.Combine(folder, "etcd"), members: 3, ["--pre-vote"], placeOf: cluster.Network.AddAsync);
        foreach (var member in cluster.etcd)
        {
            cluster.Add(member.Name, CoordinatorView.Of(member));
        }

        var settings = new Dictionary<string, string>
        {
            ["Access:AllowOpenGrpc"] = "true",
            ["Access:AllowPlainHttp"] = "true",
            ["Coordination:Mode"] = "Etcd",
        };
        for (var i = 0; i < cluster.etcd.Count; i++)
        {
            settings.Add($"Coordination:Endpoints:{i}", cluster.etcd[i].Address);
        }

        await cluster.StartNodesAsync(
            folder, placeOf => NodeCluster.StartMastersOnEtcdAsync(folder, settings, placeOf));
    }

    public EtcdMember Member(string name) => etcd.Single(member => member.Name == name);

    public Task<bool> IsMasterAsync(string node) => NodeCluster.IsMasterAsync(Node(node));

    /// <summary>The only one of them that says that it leads.</summary>
    public override async Task<string> LeaderAsync()
    {
        string? leader = null;
        await Wait.ForAsync(
            async () =>
            {
                var says = await Task.WhenAll(Views.Select(view => view.LeadsAsync()));
                leader = says.Count(one => one) == 1 ? Members[says.IndexOf(true)] : null;
                return leader is not null;
            },
            Limit, () => "no member leads");
        return leader!;
    }

    /// <summary>And all of them hold the same.</summary>
    public override async Task UntilWholeAsync()
    {
        await base.UntilWholeAsync();
        await EtcdAgreement.CheckAsync(EtcdctlAsync, () => string.Join('\n', Members.Select(LastWords)));
    }

    /// <summary>Every node is registered, and is the master or stands for it.</summary>
    public async Task UntilAllStandAsync(string by)
    {
        var leases = 0;
        await Wait.ForAsync(
            async () => (leases = await View(by).CountLeasesAsync()) == LeasesOfANode * Nodes.Count,
            Limit, () => $"{Nodes.Count} nodes hold {leases} leases");
    }

    /// <returns>Whether the order was acknowledged.</returns>
    public Task<bool> TryOrderAsync(string node) =>
        TryOrderAsync(Node(node), MediaId.From(new Guid(RandomNumberGenerator.GetBytes(16))));

    /// <summary>Asks a node to transcode that media.</summary>
    /// <returns>Whether the order was acknowledged.</returns>
    public static async Task<bool> TryOrderAsync(PlatformProcess node, MediaId media)
    {
        using var channel = GrpcChannel.ForAddress($"http://{node.Grpc}");
        try
        {
            await new Transcoder.TranscoderClient(channel.CreateCallInvoker()).TranscodeAsync(
                new TranscodeRequest { MediaId = media.ToString(), SourceKey = $"sources/{media}" },
                deadline: TimeProvider.System.GetUtcNow().UtcDateTime + OrderTime);
            return true;
        }
        catch (RpcException refused)
            when (refused.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            return false;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var member in etcd)
        {
            await member.DisposeAsync();
        }
    }

    private protected override void StartMembers()
    {
        foreach (var member in etcd.Where(member => !member.IsRunning))
        {
            member.Start();
        }
    }

    private protected override string LastWords(string member) => Member(member).LastWords(lines: 40);

    private Task<string> EtcdctlAsync(string[] arguments) => SecureEtcd.EtcdctlAsync(
        arguments,
        new Dictionary<string, string>
        {
            ["ETCDCTL_API"] = "3",
            ["ETCDCTL_ENDPOINTS"] = string.Join(',', etcd.Select(member => member.Address)),
        });
}
