using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests.Interop;

public sealed class GrpcioTcpClientTests(GrpcioTcpRun run) : ForeignClientTests(run), IClassFixture<GrpcioTcpRun>;

public sealed class GrpcioTlsClientTests(GrpcioTlsRun run) : ForeignClientTests(run), IClassFixture<GrpcioTlsRun>;

public sealed class GrpcJsTcpClientTests(GrpcJsTcpRun run) : ForeignClientTests(run), IClassFixture<GrpcJsTcpRun>;

public sealed class GrpcJsTlsClientTests(GrpcJsTlsRun run) : ForeignClientTests(run), IClassFixture<GrpcJsTlsRun>;

/// <summary>The interop cases with other implementations' clients against this project's server.</summary>
public abstract class ForeignClientTests(ForeignClientRun run)
{
    public static TheoryData<string> Cases =>
    [
        "empty_unary", "large_unary", "client_compressed_unary", "server_compressed_unary", "client_streaming",
        "client_compressed_streaming", "server_streaming", "server_compressed_streaming", "ping_pong", "half_duplex",
        "empty_stream", "custom_metadata", "status_code_and_message", "special_status_message",
        "unimplemented_method", "unimplemented_service", "cancel_after_begin", "cancel_after_first_response",
        "timeout_on_sleeping_server", "concurrent_large_unary", "rpc_soak", "channel_soak",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_passes(string name) => run.Results[name].ShouldBe("ok");

    [Fact]
    public void No_case_is_left_out() => run.Results.Keys.Order().ShouldBe(Cases.Select(row => row.Data).Order());

    [Fact]
    public void Responses_are_compressed_only_where_they_are_asked_to_be() =>
        // One of two in server_compressed_unary, and one of two in server_compressed_streaming.
        run.CompressedResponses.ShouldBe(2);

    [Fact]
    public void Server_has_nothing_to_complain_of() => run.Log.ShouldBeEmpty();
}

/// <summary>One run of a client through all cases.</summary>
public abstract class ForeignClientRun(bool isSecure) : IAsyncLifetime
{
    internal IReadOnlyDictionary<string, string> Results { get; private set; } = new Dictionary<string, string>();

    internal int CompressedResponses { get; private set; }

    internal IReadOnlyCollection<string> Log { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        await using var host = await InteropServer.StartOursAsync(isSecure ? Wiring.Tls : Wiring.Tcp);
        using var certificates = isSecure ? new CertificateFiles() : null;
        string[] args = [host.Address.Authority, .. certificates is null ? [] : (string[])[certificates.Folder]];
        await using var client = await StartAsync(args);
        Results = JsonSerializer.Deserialize<Dictionary<string, string>>(await client.ReadToEndAsync())!;
        CompressedResponses = host.Services.GetRequiredService<CountingGzip>().TakeCompressed();
        Log = host.Log;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private protected abstract Task<PeerProcess> StartAsync(string[] args);
}

public abstract class GrpcioRun(bool isSecure) : ForeignClientRun(isSecure)
{
    private protected override async Task<PeerProcess> StartAsync(string[] args) =>
        await PythonPeer.StartAsync(InteropReflection.Descriptor, "interop_client.py", args);
}

public sealed class GrpcioTcpRun() : GrpcioRun(isSecure: false);

public sealed class GrpcioTlsRun() : GrpcioRun(isSecure: true);

public abstract class GrpcJsRun(bool isSecure) : ForeignClientRun(isSecure)
{
    private protected override Task<PeerProcess> StartAsync(string[] args) =>
        Task.FromResult<PeerProcess>(NodePeer.Start("interop-client.js", args));
}

public sealed class GrpcJsTcpRun() : GrpcJsRun(isSecure: false);

public sealed class GrpcJsTlsRun() : GrpcJsRun(isSecure: true);
