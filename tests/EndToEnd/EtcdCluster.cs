using System.Net;

namespace Hexcast.EndToEnd;

/// <summary>
/// Five nodes on an etcd of three members: the pages and the catalogue on one, two that may be master, two that work.
/// Each is a process of its own; they share etcd and the folder of objects, and nothing else.
/// </summary>
public sealed class EtcdCluster : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();
    private readonly Dictionary<string, PlatformProcess> nodes = [];
    private SecureEtcd? etcd;

    public PlatformProcess Front => nodes["front"];

    public SecureEtcd Etcd => etcd!;

    /// <summary>Of several chunks.</summary>
    public string Clip => Path.Combine(folder.Path, "clip.mp4");

    public PlatformProcess Node(string name) => nodes[name];

    public async ValueTask InitializeAsync()
    {
        await Clips.MakeStandardAsync(Clip, seconds: 24, size: "854x480");
        etcd = await SecureEtcd.StartAsync(Path.Combine(folder.Path, "etcd"));
        await Task.WhenAll(
            StartAsync("front", "catalog,upload,playback,dashboard"),
            StartAsync("master-1", "master"),
            StartAsync("master-2", "master"),
            StartAsync("worker-1", "worker"),
            StartAsync("worker-2", "worker"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes.Values)
        {
            await node.DisposeAsync();
        }

        if (etcd is not null)
        {
            await etcd.DisposeAsync();
        }

        folder.Dispose();
    }

    /// <summary>The node that says that it is the master, once one does.</summary>
    public async Task<PlatformProcess> MasterAsync()
    {
        PlatformProcess? master = null;
        await Wait.ForAsync(
            async () =>
            {
                foreach (var name in (string[])["master-1", "master-2"])
                {
                    master = await IsMasterAsync(nodes[name]) ? nodes[name] : master;
                }

                return master is not null;
            },
            Limit, () => "nobody is the master");
        return master!;
    }

    public static async Task<bool> IsMasterAsync(PlatformProcess node)
    {
        if (!node.IsRunning)
        {
            return false;
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            using var answer = await node.Http.GetAsync("/schedule", limit.Token);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (OperationCanceledException)
        {
            // It stands still.
            return false;
        }
    }

    private async Task StartAsync(string name, string roles)
    {
        var node = await PlatformProcess.StartAsync(
            Path.Combine(folder.Path, name),
            smallDisk: null,
            new Dictionary<string, string>(Etcd.Settings())
            {
                ["Objects:Folder"] = Path.Combine(folder.Path, "objects"),
                ["Worker:Slots"] = "2",
            },
            "--target", roles, "--node", name);
        lock (nodes)
        {
            nodes.Add(name, node);
        }
    }
}
