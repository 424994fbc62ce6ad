using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Client;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>A running coordinator on a loopback port, whichever it is.</summary>
public abstract class CoordinatorServer : IAsyncLifetime
{
    private GrpcChannel? _channel;

    public virtual int MemberCount => 1;

    /// <summary>Whether a transaction may read at a revision that is not there, and fails alike on every member.
    /// </summary>
    public virtual bool CanReadRevisionsInTransactions => true;

    public string Address { get; protected set; } = "";

    public virtual CallInvoker Invoker => (_channel ??= GrpcChannel.ForAddress(Address)).CreateCallInvoker();

    public CoordinatorClient Client => new(Invoker, TimeProvider.System);

    internal KV.KVClient Kv => new(Invoker);

    internal Lease.LeaseClient Leases => new(Invoker);

    internal Watch.WatchClient Watches => new(Invoker);

    public async ValueTask InitializeAsync() => await StartAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _channel?.Dispose();
        await StopAsync();
    }

    protected abstract Task StartAsync();

    protected abstract Task StopAsync();
}
