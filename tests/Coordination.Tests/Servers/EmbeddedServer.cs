using System.Net;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Discovery;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Peers;
using Hexcast.Coordination.Embedded.Services;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>The embedded coordinator over TCP, with its data in a temporary folder.</summary>
public sealed class EmbeddedServer : CoordinatorServer
{
    private readonly TemporaryFolder _folder = new();
    private WebApplication? _app;

    /// <summary>The member, as it says it to others.</summary>
    internal PeerSelf Self => _app!.Services.GetRequiredService<EmbeddedCoordinatorHolder>().Self;

    protected override async Task StartAsync()
    {
        _app = Build(_folder.Path, EmbeddedGroup.FreePort(), new CoordinatorLimits());
        await _app.StartAsync(TestContext.Current.CancellationToken);
        Address = _app.Urls.Single();
    }

    protected override async Task StopAsync()
    {
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
        _folder.Dispose();
    }

    /// <param name="join">Addresses of members; none: it begins a group.</param>
    internal static WebApplication Build(
        string folder, int port, CoordinatorLimits limits, string node = "node-1", params string[] join) =>
        Build(folder, port, limits, new LogLines(), node, shared: null, join);

    /// <param name="shared">What shows that the node was one of a group already.</param>
    internal static WebApplication Build(
        string folder, int port, CoordinatorLimits limits, LogLines log, string node, string? shared,
        params string[] join)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new EmbeddedCoordinatorSettings(
            folder, "hexcast", node, $"127.0.0.1:{port}", limits, join,
            NodeChannels.Plain(TimeProvider.System).OpenToMember)
        {
            PlaceInterval = TimeSpan.FromMilliseconds(100),
            Shared = shared,
        });
        builder.Services.AddSingleton<EmbeddedCoordinatorHolder>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<EmbeddedCoordinatorHolder>());
        var channels = NodeChannels.Plain(TimeProvider.System);
        builder.Services.AddSingleton(provider => new ClusterNodes(
            new CoordinatorClient(
                channels.Open($"127.0.0.1:{port}").CreateCallInvoker(), TimeProvider.System),
            new NodeSettings { NodeId = node, DataFolder = folder }, channels));
        builder.Services.AddSingleton<MembershipService>();
        var app = builder.Build();
        app.MapGrpcService<KvService>();
        app.MapGrpcService<WatchService>();
        app.MapGrpcService<LeaseService>();
        app.MapGrpcService<MaintenanceService>();
        app.MapGrpcService<ClusterService>();
        app.MapGrpcService<RaftService>();
        app.MapGrpcService<MembershipService>();
        return app;
    }
}
