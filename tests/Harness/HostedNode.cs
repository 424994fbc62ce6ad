using System.Net;
using Hexcast.Platform.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Harness;

/// <summary>A node inside a test's own process, on free ports. Its folder is the test's and outlives it.</summary>
internal sealed class HostedNode : IAsyncDisposable
{
    private readonly HexcastNode node;
    private readonly string logFile;

    private HostedNode(HexcastNode node, string logFile)
    {
        (this.node, this.logFile) = (node, logFile);
        var addresses = Get<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Address = new Uri(addresses.First(a => a.Contains("://127.", StringComparison.Ordinal)));
    }

    /// <summary>Of its HTTP listener.</summary>
    public Uri Address { get; }

    public static async Task<HostedNode> StartAsync(
        string folder, IReadOnlyList<RoleModule> modules, params (string Key, string Value)[] settings)
    {
        var log = Path.Combine(folder, "log");
        var built = HexcastHost.Build(
            new NodeSettings
            {
                DataFolder = folder,
                Http = new IPEndPoint(IPAddress.Loopback, 0),
                Grpc = new IPEndPoint(IPAddress.Loopback, 0),
                LogFile = log,
            },
            new ConfigurationBuilder().AddInMemoryCollection(
                settings.Select(s => KeyValuePair.Create<string, string?>(s.Key, s.Value))).Build(),
            modules);
        await built.StartAsync(CancellationToken.None);
        return new HostedNode(built, log);
    }

    public T Get<T>() where T : notnull => node.Services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        NodeEvidence.KeepLog(logFile);
    }
}
