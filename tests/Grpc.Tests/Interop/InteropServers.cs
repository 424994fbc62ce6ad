using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests.Interop;

/// <summary>A server of the interop services, and this project's client to it. One for all cases of a class.</summary>
public abstract class InteropServer : IAsyncLifetime
{
    private protected GrpcChannel? ClientChannel { get; set; }

    internal GrpcChannel Channel => ClientChannel!;

    /// <summary>The client's.</summary>
    internal CountingGzip Gzip { get; } = new();

    /// <summary>Answers INVALID_ARGUMENT when a request is not compressed as it says; others cannot see it.</summary>
    internal virtual bool ChecksRequests => false;

    internal virtual bool CompressesResponses => true;

    /// <summary>A channel of its own for the one who disposes it.</summary>
    internal abstract GrpcChannel Connect();

    public abstract ValueTask InitializeAsync();

    public virtual ValueTask DisposeAsync()
    {
        ClientChannel?.Dispose();
        return ValueTask.CompletedTask;
    }

    private protected GrpcChannelOptions ClientOptions => new() { CompressionProviders = [Gzip] };

    internal static Task<ProbeHost> StartOursAsync(Wiring wiring)
    {
        var gzip = new CountingGzip();
        return ProbeHost.StartAsync(
            wiring,
            new ProbeHandlers(),
            grpc: options => options.CompressionProviders = [gzip],
            services: services => services.AddSingleton(gzip),
            map: app => app.MapGrpcService<InteropService>());
    }
}

public abstract class OurServer : InteropServer
{
    readonly Wiring _wiring;
    ProbeHost? _host;

    private protected OurServer(Wiring wiring) => _wiring = wiring;

    internal override bool ChecksRequests => true;

    public override async ValueTask InitializeAsync()
    {
        _host = await StartOursAsync(_wiring);
        ClientChannel = Connect();
    }

    internal override GrpcChannel Connect() => _host!.CreateChannel(ClientOptions);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _host!.DisposeAsync();
    }
}

public sealed class OurTcpServer() : OurServer(Wiring.Tcp);

public sealed class OurTlsServer() : OurServer(Wiring.Tls);

public sealed class OurInMemoryServer() : OurServer(Wiring.InMemory);

/// <summary>A server in another process, over TCP or TLS.</summary>
public abstract class ForeignServer(bool isSecure) : InteropServer
{
    readonly CertificateFiles? _certificates = isSecure ? new CertificateFiles() : null;
    PeerProcess? _peer;
    string? _port;

    public override async ValueTask InitializeAsync()
    {
        _peer = await StartAsync(_certificates is null ? [] : [_certificates.Folder]);
        _port = await _peer.ReadLineAsync();
        ClientChannel = Connect();
    }

    internal override GrpcChannel Connect()
    {
        var options = ClientOptions;
        options.HttpHandler = isSecure ? TestCertificates.CreateHandler() : null;
        options.DisposeHttpClient = true;
        return GrpcChannel.ForAddress($"{(isSecure ? "https" : "http")}://127.0.0.1:{_port}", options);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _peer!.DisposeAsync();
        _certificates?.Dispose();
    }

    private protected abstract Task<PeerProcess> StartAsync(string[] args);
}

public abstract class GrpcioServer(bool isSecure) : ForeignServer(isSecure)
{
    private protected override async Task<PeerProcess> StartAsync(string[] args) =>
        await PythonPeer.StartAsync(InteropReflection.Descriptor, "interop_server.py", args);
}

public sealed class GrpcioTcpServer() : GrpcioServer(isSecure: false);

public sealed class GrpcioTlsServer() : GrpcioServer(isSecure: true);

public abstract class GrpcJsServer(bool isSecure) : ForeignServer(isSecure)
{
    /// <summary>grpc-js says of itself that compressing responses is not supported.</summary>
    internal override bool CompressesResponses => false;

    private protected override Task<PeerProcess> StartAsync(string[] args) =>
        Task.FromResult<PeerProcess>(NodePeer.Start("interop-server.js", args));
}

public sealed class GrpcJsTcpServer() : GrpcJsServer(isSecure: false);

public sealed class GrpcJsTlsServer() : GrpcJsServer(isSecure: true);
