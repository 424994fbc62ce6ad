using Grpc.Core;

namespace Hexcast.Harness.Faults;

/// <summary>
/// Three nodes that keep their coordinator, each on a host of its own, with a disk and a clock that can be made to
/// fail.
/// </summary>
public sealed class VoterCluster : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, NodeFaults> faults = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CoordinatorView> views = new(StringComparer.Ordinal);
    private readonly NodeNetwork network;
    private NodeCluster? nodes;
    private int rounds;

    private VoterCluster(NodeNetwork network) => this.network = network;

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Hindrance => NodeNetwork.Hindrance ?? NodeFaults.Hindrance;

    public NodeNetwork Network => network;

    public IReadOnlyList<string> Names { get; private set; } = [];

    public static async Task<VoterCluster> StartAsync(string folder)
    {
        var cluster = new VoterCluster(await NodeNetwork.StartAsync());
        cluster.nodes = await NodeCluster.StartVotersAsync(folder, placeOf: async name =>
        {
            var place = await cluster.network.AddAsync(name);
            var made = await NodeFaults.MakeAsync(Path.Combine(folder, "faults"), name);
            cluster.faults.Add(name, made);
            return made.At(place);
        });
        cluster.Names = [.. cluster.nodes.Nodes.Select(cluster.nodes.NameOf).Order(StringComparer.Ordinal)];
        foreach (var name in cluster.Names)
        {
            cluster.views.Add(name, CoordinatorView.Of(cluster.Node(name)));
        }

        await cluster.UntilWholeAsync();
        return cluster;
    }

    public PlatformProcess Node(string name) => nodes!.Node(name);

    public NodeFaults FaultsOf(string name) => faults[name];

    public CoordinatorView View(string name) => views[name];

    public IEnumerable<string> Others(string name) => Names.Where(other => other != name);

    /// <summary>Of what a round writes.</summary>
    public string NewKey() => $"/hexcast/drill/{NewName()}";

    public string NewName() => $"round-{++rounds}";

    /// <summary>Where the log of a node lies.</summary>
    public string LogOf(string name) => Path.Combine(Node(name).DataFolder, "coordinator");

    /// <summary>Nothing of a round that failed is left for the next one.</summary>
    /// <returns>The master.</returns>
    public async Task<string> BeginAsync()
    {
        await network.HealAsync();
        foreach (var name in Names)
        {
            faults[name].End();
            if (!Node(name).IsRunning)
            {
                await Node(name).StartAgainAsync();
            }
        }

        await UntilWholeAsync();
        return await MasterAsync();
    }

    /// <summary>The only one that says that it is the master.</summary>
    public async Task<string> MasterAsync(params string[] among)
    {
        string[] candidates = among.Length > 0 ? among : [.. Names];
        string? master = null;
        await Wait.ForAsync(
            async () =>
            {
                var says = await Task.WhenAll(candidates.Select(name => NodeCluster.IsMasterAsync(Node(name))));
                master = says.Count(one => one) == 1 ? candidates[says.IndexOf(true)] : null;
                return master is not null;
            },
            Limit, () => "there is not one master");
        return master!;
    }

    /// <summary>A write by each of them is acknowledged, and each has it.</summary>
    public async Task UntilWholeAsync()
    {
        foreach (var name in Names)
        {
            var key = NewKey();
            await UntilWritableAsync(name, key);
            foreach (var other in Names)
            {
                await UntilHasAsync(other, key);
            }
        }
    }

    public async Task UntilWritableAsync(string name, string key) => await Wait.ForAsync(
        () => TryPutAsync(name, key), Limit, () => $"{name} takes no writes:\n{Node(name).Log}");

    public async Task UntilHasAsync(string name, string key) => await Wait.ForAsync(
        async () => await View(name).ReadLocallyAsync(key) is not null,
        Limit, () => $"{name} never got {key}:\n{Node(name).Log}");

    public async Task<bool> TryPutAsync(string name, string key)
    {
        try
        {
            await View(name).PutAsync(key, name, TimeSpan.FromSeconds(1));
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

        await network.DisposeAsync();
    }
}
