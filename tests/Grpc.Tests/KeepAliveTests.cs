using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests;

/// <summary>Streams on which nobody says anything: the pings of both sides tell a quiet peer from a dead one.</summary>
public sealed class KeepAliveTests
{
    // The shortest that either side allows.
    static readonly TimeSpan Ping = TimeSpan.FromSeconds(1);

    // Nobody is gone, however long this machine takes for an answer.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly TaskCompletionSource<Exception?> _serverEnded = new();

    [Fact]
    public async Task Peer_that_is_gone_without_a_word_is_noticed_by_both_sides()
    {
        await using var host = await StartAsync(services => services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.Limits.Http2.KeepAlivePingDelay = Ping;
            kestrel.Limits.Http2.KeepAlivePingTimeout = Ping;
        }));
        await using var relay = new TcpRelay(host.Address.Port);
        using var channel = Open(relay, Ping, Ping);
        using var call = await TalkAsync(channel);

        relay.FallSilent();

        var failure = await Record.ExceptionAsync(() => call.ResponseStream.MoveNext().Within());
        failure.ShouldBeOfType<RpcException>().StatusCode.ShouldBe(StatusCode.Unavailable, failure.ToString());
        (await _serverEnded.Task.Within()).ShouldBeAssignableTo<OperationCanceledException>();
        host.Log.ShouldBeEmpty();
    }

    [Fact]
    public async Task Pings_keep_a_silent_stream_open_through_a_proxy_that_closes_idle_connections()
    {
        await using var host = await StartAsync(_ => { });
        await using var relay = new TcpRelay(host.Address.Port, idleLimit: 3 * Ping);
        using var pinging = Open(relay, Ping, Patience);
        using var mute = Open(relay, Timeout.InfiniteTimeSpan, Patience);
        using var kept = await TalkAsync(pinging);
        using var cut = await TalkAsync(mute);

        // Without pings the proxy is right to close. Until then and beyond, pings go to and fro.
        (await Record.ExceptionAsync(() => cut.ResponseStream.MoveNext().Within())).ShouldBeOfType<RpcException>()
            .StatusCode.ShouldBe(StatusCode.Unavailable);
        var passed = relay.Passed;
        while (relay.Passed < passed + 2)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).Within();

        await kept.RequestStream.WriteAsync(new ProbeRequest());
        (await kept.ResponseStream.MoveNext().Within()).ShouldBeTrue();
    }

    [Fact]
    public void Channels_ping_while_calls_run_without_being_told_to()
    {
        using var handler = GrpcChannel.CreateHandler();
        handler.KeepAlivePingPolicy.ShouldBe(HttpKeepAlivePingPolicy.WithActiveRequests);
        handler.KeepAlivePingDelay.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(30));
        handler.KeepAlivePingTimeout.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(20));
    }

    static GrpcChannel Open(TcpRelay relay, TimeSpan ping, TimeSpan patience)
    {
        var handler = GrpcChannel.CreateHandler();
        handler.KeepAlivePingDelay = ping;
        handler.KeepAlivePingTimeout = patience;
        return GrpcChannel.ForAddress(
            relay.Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    static async Task<AsyncDuplexStreamingCall<ProbeRequest, ProbeReply>> TalkAsync(GrpcChannel channel)
    {
        var call = new Probe.ProbeClient(channel).Talk();
        await call.RequestStream.WriteAsync(new ProbeRequest());
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
        return call;
    }

    Task<ProbeHost> StartAsync(Action<IServiceCollection> services) => ProbeHost.StartAsync(
        Wiring.Tcp,
        new ProbeHandlers
        {
            Talk = async (requests, responses, _) => _serverEnded.TrySetResult(await Record.ExceptionAsync(async () =>
            {
                while (await requests.MoveNext())
                    await responses.WriteAsync(new ProbeReply());
            })),
        },
        services: services);
}
