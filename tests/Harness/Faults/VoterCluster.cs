namespace Hexcast.Harness.Faults;

/// <summary>Three nodes that keep their coordinator.</summary>
public sealed class VoterCluster : FaultyHosts
{
    private VoterCluster(NodeNetwork network)
        : base(network)
    {
    }

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Hindrance => NodeNetwork.Hindrance ?? NodeFaults.Hindrance;

    public static Task<VoterCluster> StartAsync(string folder) =>
        StartAsync(folder, new Dictionary<string, string>(StringComparer.Ordinal));

    /// <param name="folder">Of their data.</param>
    /// <param name="settings">Of each.</param>
    public static async Task<VoterCluster> StartAsync(string folder, IReadOnlyDictionary<string, string> settings) =>
        await Started.WholeAsync(
            new VoterCluster(await NodeNetwork.StartAsync()), cluster => StartAsync(cluster, folder, settings));

    private static async Task StartAsync(
        VoterCluster cluster, string folder, IReadOnlyDictionary<string, string> settings)
    {
        await cluster.StartNodesAsync(
            folder, placeOf => NodeCluster.StartVotersAsync(folder, settings, placeOf));
        foreach (var name in cluster.Nodes)
        {
            cluster.Add(name, CoordinatorView.Of(cluster.Node(name)));
        }

        await cluster.UntilWholeAsync();
    }

    /// <summary>Where the log of a node lies.</summary>
    public string LogOf(string name) => Path.Combine(Node(name).DataFolder, "coordinator");

    /// <summary>The master leads.</summary>
    public override Task<string> LeaderAsync() => MasterAsync();

    private protected override string LastWords(string member) => Node(member).Log;
}
