using System.Net;
using Grpc.Core;
using Hexcast.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Bench.GrpcPeer;

/// <summary>Ours: the echo service on this project's gRPC, over TCP and in memory.</summary>
internal sealed class GrpcServer(WebApplication app) : IAsyncDisposable
{
    public InMemoryTransport Memory => app.Services.GetRequiredService<InMemoryTransport>();

    public int Port => new Uri(app.Services.GetRequiredService<IServer>().Features
        .GetRequiredFeature<IServerAddressesFeature>().Addresses.Single(address => address.Contains("127.0.0.1"))).Port;

    public static async Task<GrpcServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        builder.Services.AddInMemoryTransport();
        builder.Services.AddOptions<KestrelServerOptions>().Configure<InMemoryTransport>((kestrel, memory) =>
        {
            // As many calls as are in flight at most, over the one connection that a client opens.
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1024;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.ListenInMemory(memory);
        });
        var built = builder.Build();
        built.MapGrpcService<EchoService>();
        await built.StartAsync(CancellationToken.None);
        return new GrpcServer(built);
    }

    /// <summary>A process that serves until it is asked to end; it prints its port.</summary>
    public static async Task ServeAsync()
    {
        await using var server = await StartAsync();
        Console.WriteLine(server.Port);
        await server.WaitForShutdownAsync();
    }

    private Task WaitForShutdownAsync() => app.WaitForShutdownAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => app.DisposeAsync();
}

internal sealed class EchoService : Echo.EchoBase
{
    public override Task<EchoMessage> Unary(EchoMessage request, ServerCallContext context) =>
        Task.FromResult(new EchoMessage { Data = request.Data });

    public override async Task Stream(
        EchoMessage request, IServerStreamWriter<EchoMessage> responseStream, ServerCallContext context)
    {
        var reply = new EchoMessage { Data = request.Data };
        for (var i = 0L; i < request.Count; i++)
        {
            await responseStream.WriteAsync(reply, context.CancellationToken);
        }
    }
}
