namespace Hexcast.EndToEnd;

/// <summary>Five nodes and a clip of several chunks.</summary>
public abstract class ClusterFixture : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private NodeCluster? nodes;

    public NodeCluster Nodes => nodes!;

    public string Clip => Path.Combine(folder.Path, "clip.mp4");

    public async ValueTask InitializeAsync()
    {
        await Clips.MakeStandardAsync(Clip, seconds: 24, size: "854x480");
        nodes = await StartAsync(folder.Path);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (nodes is not null)
        {
            await nodes.DisposeAsync();
        }

        folder.Dispose();
    }

    protected abstract Task<NodeCluster> StartAsync(string folder);
}

/// <summary>Their coordinator is an etcd of three members, with TLS and users.</summary>
public sealed class EtcdCluster : ClusterFixture
{
    private SecureEtcd? etcd;

    public SecureEtcd Etcd => etcd!;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (etcd is not null)
        {
            await etcd.DisposeAsync();
        }
    }

    protected override async Task<NodeCluster> StartAsync(string folder)
    {
        etcd = await SecureEtcd.StartAsync(Path.Combine(folder, "etcd"));
        return await NodeCluster.StartOnEtcdAsync(folder, Etcd.Settings());
    }
}

/// <summary>Three of them keep the coordinator themselves.</summary>
public sealed class EmbeddedCluster : ClusterFixture
{
    protected override Task<NodeCluster> StartAsync(string folder) => NodeCluster.StartEmbeddedAsync(folder);
}
