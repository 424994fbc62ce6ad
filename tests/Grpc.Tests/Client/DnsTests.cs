using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Balancer;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests.Client;

/// <summary>Channels to a name.</summary>
public sealed class DnsTests
{
    readonly ManualClock _clock = new();
    IPAddress[] _addresses = [IPAddress.Loopback];

    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    internal async Task Name_is_looked_up_and_stays_what_requests_and_certificates_are_for(Wiring wiring)
    {
        await using var host = await StartAsync(wiring, "");
        string? certified = null;
        var handler = TestCertificates.CreateHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (stream, _, _, errors) =>
        {
            certified = ((SslStream)stream).TargetHostName;
            return errors == SslPolicyErrors.None;
        };
        using var channel = GrpcChannel.ForAddress($"dns:///localhost:{host.Address.Port}", new GrpcChannelOptions
        {
            Credentials = wiring == Wiring.Tls ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
            HttpHandler = handler,
            DisposeHttpClient = true,
        });

        var reply = await new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        reply.Text.ShouldBe($" localhost:{host.Address.Port}");
        certified.ShouldBe(wiring == Wiring.Tls ? "localhost" : null);
        channel.Target.ShouldBe($"dns:///localhost:{host.Address.Port}");
    }

    [Fact]
    public async Task Name_that_is_moved_is_followed()
    {
        var moved = IPAddress.Parse("127.0.0.2");
        await using var first = await StartAsync(Wiring.Tcp, "first");
        var port = first.Address.Port;
        await using var second = await StartAsync(Wiring.Tcp, "second", new IPEndPoint(moved, port));
        using var channel = Open(port, _ => Task.FromResult(_addresses));
        var client = new Probe.ProbeClient(channel);
        (await client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within()).Text.ShouldStartWith("first");

        _addresses = [moved];
        await first.StopAsync(CancellationToken.None).Within();
        var call = client.UnaryAsync(new ProbeRequest(), new CallOptions().WithWaitForReady()).ResponseAsync;

        await TimePassesUntil(call);
        (await call).Text.ShouldStartWith("second");
    }

    [Fact]
    public async Task Name_that_nobody_knows_is_unavailable_and_asked_for_again()
    {
        await using var host = await StartAsync(Wiring.Tcp, "here");
        var asked = 0;
        using var channel = Open(host.Address.Port, _ => ++asked < 3
            ? Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound))
            : Task.FromResult(_addresses));
        var client = new Probe.ProbeClient(channel);

        var failure = await Should.ThrowAsync<RpcException>(
            () => client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within());
        failure.StatusCode.ShouldBe(StatusCode.Unavailable);
        failure.Status.Detail.ShouldContain("video.test");

        var call = client.UnaryAsync(new ProbeRequest(), new CallOptions().WithWaitForReady()).ResponseAsync;
        await TimePassesUntil(call);
        (await call).Text.ShouldStartWith("here");
        asked.ShouldBe(3);
    }

    [Theory]
    [InlineData("dns:///")]
    [InlineData("dns:///host/path")]
    [InlineData("dns:///host:port")]
    [InlineData("dns:///me@host")]
    public void Address_that_names_no_host_is_refused(string address) =>
        Should.Throw<InvalidOperationException>(() => GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }))
            .Message.ShouldContain("names no host");

    GrpcChannel Open(int port, Func<string, Task<IPAddress[]>> lookUp)
    {
        var factory = new DnsResolverFactory(Timeout.InfiniteTimeSpan, (name, _) => lookUp(name));
        return GrpcChannel.ForAddress($"dns:///video.test:{port}", new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Insecure,
            ServiceProvider = new ServiceCollection().AddSingleton<ResolverFactory>(factory).BuildServiceProvider(),
            TimeProvider = _clock,
        });
    }

    async Task TimePassesUntil(Task call)
    {
        for (var i = 0; !call.IsCompleted && i < 1000; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(call, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System));
        }

        await call.Within();
    }

    static Task<ProbeHost> StartAsync(Wiring wiring, string name, IPEndPoint? at = null) => ProbeHost.StartAsync(
        wiring,
        new ProbeHandlers
        {
            Unary = (_, context) => Task.FromResult(new ProbeReply
            {
                Text = $"{name} {context.Host}",
            }),
        },
        endPoint: at);
}
