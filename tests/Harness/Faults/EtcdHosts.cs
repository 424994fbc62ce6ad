using Grpc.Core;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Three nodes that may be master, on an etcd of three members, each of the six on a host of its own. The nodes' clocks
/// can go wrong; for the members' disks there is <see cref="EtcdDisk"/>.
/// </summary>
public sealed class EtcdHosts : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan PutTime = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, NodeFaults> faults = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CoordinatorView> views = new(StringComparer.Ordinal);
    private NodeCluster? nodes;
    private int rounds;

    private EtcdHosts(NodeNetwork network) => Network = network;

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Hindrance => NodeNetwork.Hindrance ?? NodeFaults.Hindrance ?? EtcdDisk.Hindrance;

    public NodeNetwork Network { get; }

    public IReadOnlyList<EtcdMember> Members { get; private set; } = [];

    public IEnumerable<string> Nodes => faults.Keys;

    public IReadOnlyList<CoordinatorView> Views => [.. Members.Select(View)];

    public static async Task<EtcdHosts> StartAsync(string folder)
    {
        var cluster = new EtcdHosts(await NodeNetwork.StartAsync());
        cluster.Members = await EtcdMember.StartAsync(
            Path.Combine(folder, "etcd"), members: 3, ["--pre-vote"], placeOf: cluster.Network.AddAsync);
        foreach (var member in cluster.Members)
        {
            cluster.views.Add(member.Name, CoordinatorView.Of(member));
        }

        var settings = new Dictionary<string, string>
        {
            ["Access:AllowOpenGrpc"] = "true",
            ["Access:AllowPlainHttp"] = "true",
            ["Coordination:Mode"] = "Etcd",
        };
        for (var i = 0; i < cluster.Members.Count; i++)
        {
            settings.Add($"Coordination:Endpoints:{i}", cluster.Members[i].Address);
        }

        using var places = new SemaphoreSlim(1);
        cluster.nodes = await NodeCluster.StartMastersOnEtcdAsync(folder, settings, async name =>
        {
            await places.WaitAsync();
            try
            {
                var place = await cluster.Network.AddAsync(name);
                var made = await NodeFaults.MakeAsync(Path.Combine(folder, "faults"), name);
                cluster.faults.Add(name, made);
                return made.At(place);
            }
            finally
            {
                places.Release();
            }
        });
        return cluster;
    }

    public CoordinatorView View(EtcdMember member) => views[member.Name];

    public NodeFaults FaultsOf(string node) => faults[node];

    public IEnumerable<EtcdMember> Others(EtcdMember member) => Members.Where(other => other != member);

    public IEnumerable<string> Others(string node) => faults.Keys.Where(other => other != node);

    /// <summary>Of what a round writes.</summary>
    public string NewKey() => $"/hexcast/drill/{NewName()}";

    public string NewName() => $"round-{++rounds}";

    /// <summary>Nothing of a round that failed is left for the next one.</summary>
    /// <returns>The master, and the member of etcd that leads the others.</returns>
    public async Task<(string Master, EtcdMember Leader)> BeginAsync()
    {
        await Network.HealAsync();
        foreach (var fault in faults.Values)
        {
            fault.End();
        }

        foreach (var member in Members.Where(member => !member.IsRunning))
        {
            member.Start();
        }

        await UntilWholeAsync();
        return (await MasterAsync(), await LeaderAsync());
    }

    /// <summary>The only node that says that it is the master.</summary>
    public async Task<string> MasterAsync(params string[] among)
    {
        string[] candidates = among.Length > 0 ? among : [.. faults.Keys];
        string? master = null;
        await Wait.ForAsync(
            async () =>
            {
                var says = await Task.WhenAll(
                    candidates.Select(name => NodeCluster.IsMasterAsync(nodes!.Node(name))));
                master = says.Count(one => one) == 1 ? candidates[says.IndexOf(true)] : null;
                return master is not null;
            },
            Limit, () => $"there is not one master:\n{string.Join('\n', candidates.Select(n => nodes!.Node(n).Log))}");
        return master!;
    }

    public Task<bool> IsMasterAsync(string node) => NodeCluster.IsMasterAsync(nodes!.Node(node));

    /// <summary>The only one of them that says that it leads.</summary>
    public async Task<EtcdMember> LeaderAsync()
    {
        EtcdMember? leader = null;
        await Wait.ForAsync(
            async () =>
            {
                var says = await Task.WhenAll(Members.Select(member => View(member).LeadsAsync()));
                leader = says.Count(one => one) == 1 ? Members[says.IndexOf(true)] : null;
                return leader is not null;
            },
            Limit, () => "no member leads");
        return leader!;
    }

    /// <summary>A write by each member is acknowledged, each has it, and all of them hold the same.</summary>
    public async Task UntilWholeAsync()
    {
        foreach (var member in Members)
        {
            var key = NewKey();
            await UntilWritableAsync(member, key);
            foreach (var other in Members)
            {
                await Wait.ForAsync(
                    async () => await View(other).ReadLocallyAsync(key) is not null,
                    Limit, () => $"{other.Name} never got {key}");
            }
        }

        await EtcdAgreement.CheckAsync(
            EtcdctlAsync, () => string.Join('\n', Members.Select(member => member.LastWords(lines: 40))));
    }

    public Task UntilWritableAsync(EtcdMember member, string key) => Wait.ForAsync(
        () => TryPutAsync(member, key), Limit, () => $"{member.Name} takes no writes:\n{member.LastWords(lines: 40)}");

    public async Task<bool> TryPutAsync(EtcdMember member, string key)
    {
        try
        {
            await View(member).PutAsync(key, member.Name, PutTime);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var view in views.Values)
        {
            view.Dispose();
        }

        if (nodes is not null)
        {
            await nodes.DisposeAsync();
        }

        foreach (var member in Members)
        {
            await member.DisposeAsync();
        }

        await Network.DisposeAsync();
    }

    private Task<string> EtcdctlAsync(string[] arguments) => SecureEtcd.EtcdctlAsync(
        arguments,
        new Dictionary<string, string>
        {
            ["ETCDCTL_API"] = "3",
            ["ETCDCTL_ENDPOINTS"] = string.Join(',', Members.Select(member => member.Address)),
        });
}
