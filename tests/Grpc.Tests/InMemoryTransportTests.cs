using System.Net;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests;

/// <summary>The in-memory transport by itself, most of it without Kestrel or HTTP on top.</summary>
public sealed class InMemoryTransportTests
{
    readonly InMemoryTransport _transport = new();

    [Fact]
    public async Task Bytes_pass_both_ways()
    {
        var (client, server) = await ConnectAsync();

        await client.WriteAsync("ping"u8.ToArray());
        var request = await server.Transport.Input.ReadAtLeastAsync(4);
        server.Transport.Input.AdvanceTo(request.Buffer.End);
        await server.Transport.Output.WriteAsync("pong!"u8.ToArray());

        var answer = new byte[10];
        (await client.ReadAsync(answer).AsTask().Within()).ShouldBe(5);
        answer.AsSpan(0, 5).SequenceEqual("pong!"u8).ShouldBeTrue();
    }

    [Fact]
    public async Task Empty_read_returns_when_there_is_something_and_takes_nothing()
    {
        var (client, server) = await ConnectAsync();

        var read = client.ReadAsync(Memory<byte>.Empty).AsTask();
        read.IsCompleted.ShouldBeFalse();
        await server.Transport.Output.WriteAsync("x"u8.ToArray());

        (await read.Within()).ShouldBe(0);
        (await client.ReadAsync(new byte[10]).AsTask().Within()).ShouldBe(1);
    }

    [Fact]
    public async Task Disposed_client_ends_the_servers_side_and_its_own_pending_read()
    {
        var (client, server) = await ConnectAsync();
        var closed = new TaskCompletionSource();
        server.ConnectionClosed.Register(() => closed.SetResult());

        var read = client.ReadAsync(new byte[10]).AsTask();
        await client.DisposeAsync();

        await Should.ThrowAsync<IOException>(read.Within());
        (await server.Transport.Input.ReadAsync().AsTask().Within()).IsCompleted.ShouldBeTrue();
        await closed.Task.Within();
        await Should.ThrowAsync<ObjectDisposedException>(async () => await client.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task Server_that_completes_is_the_end_of_the_clients_stream()
    {
        var (client, server) = await ConnectAsync();

        await server.DisposeAsync();

        (await client.ReadAsync(new byte[10]).AsTask().Within()).ShouldBe(0);
        await Should.ThrowAsync<IOException>(async () => await client.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task Server_that_aborts_fails_what_the_client_waits_for()
    {
        var (client, server) = await ConnectAsync();

        var read = client.ReadAsync(new byte[10]).AsTask();
        server.Abort(new ConnectionAbortedException());

        await Should.ThrowAsync<IOException>(read.Within());
    }

    [Fact]
    public async Task Client_that_nobody_reads_has_to_wait_and_is_freed_by_disposal()
    {
        var (client, _) = await ConnectAsync();

        var write = client.WriteAsync(new byte[1_000_000]).AsTask();
        write.IsCompleted.ShouldBeFalse();
        await client.DisposeAsync();

        await Should.ThrowAsync<IOException>(write.Within());
    }

    [Fact]
    public async Task Only_one_server_listens_and_another_may_once_it_has_stopped()
    {
        var first = await _transport.BindAsync(_transport.EndPoint);
        await Should.ThrowAsync<AddressInUseException>(async () => await _transport.BindAsync(_transport.EndPoint));

        await first.UnbindAsync();
        (await first.AcceptAsync().AsTask().Within()).ShouldBeNull();
        await first.DisposeAsync();

        await (await _transport.BindAsync(_transport.EndPoint)).DisposeAsync();
    }

    [Fact]
    public async Task Nothing_listens_no_connection()
    {
        await Should.ThrowAsync<IOException>(async () => await _transport.ConnectAsync(null!, default));
        _transport.CanBind(new IPEndPoint(IPAddress.Loopback, 0)).ShouldBeFalse();
        await Should.ThrowAsync<NotSupportedException>(
            async () => await _transport.BindAsync(new IPEndPoint(IPAddress.Loopback, 0)));
    }

    [Fact]
    public async Task One_server_listens_on_tcp_and_in_memory_side_by_side()
    {
        await using var host = await ProbeHost.StartAsync(
            Wiring.InMemory,
            new ProbeHandlers { Unary = (_, context) => Task.FromResult(new ProbeReply { Text = context.Peer }) },
            services: services => services.Configure<KestrelServerOptions>(
                kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2)));
        using var overTcp = GrpcChannel.ForAddress(host.Address);

        (await host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within()).Text.ShouldBe("in-memory");
        (await new Probe.ProbeClient(overTcp).UnaryAsync(new ProbeRequest()).ResponseAsync.Within())
            .Text.ShouldStartWith("ipv4:127.0.0.1:");
        await host.StopAsync(CancellationToken.None).Within();
    }

    async Task<(Stream Client, ConnectionContext Server)> ConnectAsync()
    {
        var listener = await _transport.BindAsync(_transport.EndPoint);
        var client = await _transport.ConnectAsync(null!, default);
        var server = await listener.AcceptAsync().AsTask().Within();
        return (client, server.ShouldNotBeNull());
    }
}
