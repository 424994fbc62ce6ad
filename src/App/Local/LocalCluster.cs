using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Hexcast.App.Cli;
using Hexcast.App.Client;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.App.Local;

/// <param name="Folder">Of all their data: a folder below it for each node.</param>
/// <param name="Http">Of the first node; the others listen behind it, two ports each.</param>
/// <param name="FreePorts">Any free ports instead, for all of them.</param>
internal sealed record LocalClusterPlan(string Folder, int Workers, IPEndPoint Http, bool FreePorts);

/// <summary>
/// A cluster on this machine, for trying out: its first node has the pages, the catalogue and the cluster's CA, the
/// others work, and each of them may be the master.
/// </summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private const string FrontRoles = "catalog,upload,playback,dashboard,master";
    private const string WorkerRoles = "worker,master";

    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TokenTime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    private readonly HttpClient http = new() { Timeout = AnswerTime };
    private readonly LocalClusterPlan plan;
    private readonly TimeProvider clock;
    private readonly Action<string> say;
    private readonly List<LocalNode> nodes = [];

    private LocalCluster(LocalClusterPlan plan, TimeProvider clock, Action<string> say) =>
        (this.plan, this.clock, this.say) = (plan, clock, say);

    public IReadOnlyList<LocalNode> Nodes => nodes;

    public LocalNode Front => nodes[0];

    public static async Task<LocalCluster> StartAsync(
        LocalClusterPlan plan, TimeProvider clock, Action<string> say, CancellationToken cancel)
    {
        var cluster = new LocalCluster(plan, clock, say);
        try
        {
            await cluster.StartAsync(cancel);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says what changes, and starts again what ends, until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancel) => await await Task.WhenAny(
        [FollowStatesAsync(cancel), .. nodes.Select(node => node.KeepAsync(http, cancel))]);

    /// <summary>Those that work first: while they hand back what they were about, somebody can take it.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(nodes.Skip(1).Select(node => node.DisposeAsync().AsTask()));
        if (nodes.Count > 0)
        {
            await Front.DisposeAsync();
        }

        http.Dispose();
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        // What a person has set for all of them stays as it is.
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        Set(environment, "Worker__Slots", $"{Math.Max(1, Environment.ProcessorCount / plan.Workers)}");
        // What the others read and write lies on the first one.
        var others = new Dictionary<string, string>(environment, StringComparer.Ordinal);
        Set(others, "Objects__Place", nameof(ObjectsPlace.Node));
        for (var i = 0; i <= plan.Workers; i++)
        {
            var name = $"node-{i + 1}";
            var folder = Path.Combine(plan.Folder, name);
            nodes.Add(new LocalNode(
                new LocalNodePlan(
                    name, folder, i == 0 ? FrontRoles : WorkerRoles, HttpOf(i),
                    // Where it joined the others know it.
                    plan.FreePorts && ClusterIdentity.Find(folder) is { } identity
                        ? IPEndPoint.Parse(identity.Address) : GrpcOf(i)),
                i == 0 ? environment : others, clock, say));
        }

        var front = Front.Plan;
        if (ClusterIdentity.Find(front.Folder) is null)
        {
            Directory.CreateDirectory(front.Folder);
            Enrol.Found(front.Folder, front.Name, front.Grpc, advertise: null, clock);
        }

        // Those that were there before need each other: a majority of the voters among them.
        var known = nodes.Where(node => ClusterIdentity.Find(node.Plan.Folder) is not null).ToList();
        await Task.WhenAll(known.Select(node => node.StartAsync(http, cancel)));
        var joining = nodes.Except(known).ToList();
        foreach (var next in joining.Select(node => node.Plan))
        {
            Directory.CreateDirectory(next.Folder);
            var token = Enrol.Token(front.Folder, TokenTime, uses: 1, [front.Grpc.ToString()], clock);
            await Enrol.JoinAsync(next.Folder, token.Text, next.Name, next.Grpc, advertise: null, clock, cancel);
        }

        await Task.WhenAll(joining.Select(node => node.StartAsync(http, cancel)));
    }

    private static void Set(Dictionary<string, string> environment, string option, string value)
    {
        var name = $"HEXCAST__{option}";
        if (Environment.GetEnvironmentVariable(name) is null)
        {
            environment.Add(name, value);
        }
    }

    private IPEndPoint HttpOf(int i) => plan.FreePorts ? FreePort() : new(plan.Http.Address, plan.Http.Port + (2 * i));

    private IPEndPoint GrpcOf(int i) =>
        plan.FreePorts ? FreePort() : new(IPAddress.Loopback, plan.Http.Port + (2 * i) + 1);

    private async Task FollowStatesAsync(CancellationToken cancel)
    {
        string? master = null;
        var states = new Dictionary<string, string>(StringComparer.Ordinal);
        using var client = new HexcastClient(
            new Uri($"http://{Front.Plan.Http}"), clock, Tokens.OfFolder(Front.Plan.Folder));
        using var timer = new PeriodicTimer(FollowInterval, clock);
        do
        {
            try
            {
                var raw = await client.NodesRawAsync(cancel);
                var known = raw.Deserialize<NodesDocument>(Wire.Json)!;
                if (known.MasterNodeId is { } elected && elected != master)
                {
                    master = elected;
                    say($"{master} is the master");
                }

                foreach (var node in known.Nodes)
                {
                    var state = node.Draining ? "drained" : node.Connected ? "works" : "lost";
                    if (states.GetValueOrDefault(node.NodeId) != state)
                    {
                        states[node.NodeId] = state;
                        say($"{node.NodeId} {(state == "works" ? "works" : $"is {state}")}");
                    }
                }
            }
            catch (CliException)
            {
                // Nobody answers now: what ended is said where it is started again, and an election passes.
            }
        }
        while (await timer.WaitForNextTickAsync(cancel));
    }

    private static IPEndPoint FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return (IPEndPoint)probe.LocalEndpoint;
    }
}
