using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

/// <summary>Six nodes, and the faults that they have to stand.</summary>
public abstract class ClusterFixture : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private NodeCluster? nodes;
    private JobFaults? faults;

    public JobFaults Faults => faults!;

    public async ValueTask InitializeAsync()
    {
        var (clip, light) = await JobFaults.MakeClipsAsync(folder.Path);
        nodes = await StartAsync(folder.Path);
        faults = await JobFaults.StartAsync(nodes, Etcd, clip, light);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        try
        {
            if (faults is not null)
            {
                await faults.DisposeAsync();
            }
        }
        finally
        {
            if (nodes is not null)
            {
                await nodes.DisposeAsync();
            }

            folder.Dispose();
        }
    }

    /// <summary>Their coordinator; null: they keep it themselves.</summary>
    public virtual SecureEtcd? Etcd => null;

    protected abstract Task<NodeCluster> StartAsync(string folder);
}

/// <summary>Their coordinator is an etcd of three members, with TLS and users.</summary>
public sealed class EtcdCluster : ClusterFixture
{
    private SecureEtcd? etcd;

    public override SecureEtcd? Etcd => etcd;

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await base.DisposeAsync();
        }
        finally
        {
            if (etcd is not null)
            {
                await etcd.DisposeAsync();
            }
        }
    }

    protected override async Task<NodeCluster> StartAsync(string folder)
    {
        etcd = await SecureEtcd.StartAsync(Path.Combine(folder, "etcd"));
        return await NodeCluster.StartOnEtcdAsync(folder, etcd.Settings());
    }
}

/// <summary>Three of them keep the coordinator themselves.</summary>
public sealed class EmbeddedCluster : ClusterFixture
{
    protected override Task<NodeCluster> StartAsync(string folder) => NodeCluster.StartEmbeddedAsync(folder);
}
