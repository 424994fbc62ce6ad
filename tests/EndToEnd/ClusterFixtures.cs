using Hexcast.Harness.Faults;

namespace Hexcast.EndToEnd;

/// <summary>Six nodes, and the faults that they have to stand.</summary>
public abstract class ClusterFixture : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private NodeCluster? nodes;
    private CoordinatorView? view;
    private JobFaults? faults;

    public NodeCluster Nodes => nodes!;

    public JobFaults Faults => faults!;

    public async ValueTask InitializeAsync()
    {
        var (clip, light) = await JobFaults.MakeClipsAsync(folder.Path);
        (nodes, view) = await StartAsync(folder.Path);
        faults = await JobFaults.StartAsync(nodes, view, clip, light);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (faults is not null)
        {
            await faults.DisposeAsync();
        }

        view?.Dispose();
        if (nodes is not null)
        {
            await nodes.DisposeAsync();
        }

        folder.Dispose();
    }

    /// <returns>And their coordinator, by what no test loses.</returns>
    protected abstract Task<(NodeCluster Nodes, CoordinatorView View)> StartAsync(string folder);
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

    protected override async Task<(NodeCluster Nodes, CoordinatorView View)> StartAsync(string folder)
    {
        etcd = await SecureEtcd.StartAsync(Path.Combine(folder, "etcd"));
        return (await NodeCluster.StartOnEtcdAsync(folder, Etcd.Settings()), CoordinatorView.Of(Etcd));
    }
}

/// <summary>Three of them keep the coordinator themselves.</summary>
public sealed class EmbeddedCluster : ClusterFixture
{
    protected override async Task<(NodeCluster Nodes, CoordinatorView View)> StartAsync(string folder)
    {
        var nodes = await NodeCluster.StartEmbeddedAsync(folder);
        return (nodes, CoordinatorView.Of(nodes.Front));
    }
}
