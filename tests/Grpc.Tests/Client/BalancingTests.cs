using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests.Client;

/// <summary>Channels to several servers, to servers that come and go, and what is known of them meanwhile.</summary>
public sealed class BalancingTests
{
    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    internal async Task Round_robin_spreads_calls_over_all_servers_that_can_be_reached(Wiring wiring)
    {
        await using var first = await StartAsync(wiring, "first");
        await using var second = await StartAsync(wiring, "second");
        using var channel = Open(wiring, new RoundRobinConfig(), PortOf(first), FreePort(), PortOf(second));
        await channel.ConnectAsync().Within();

        // Both are connected at the latest when each has answered once.
        var answers = new Dictionary<string, int>();
        for (var i = 0; i < 500 && (answers.Count < 2 || answers.Values.Min() < 5); i++)
        {
            var reply = await CallAsync(channel);
            answers[reply] = answers.GetValueOrDefault(reply) + 1;
        }

        answers.Keys.Order().ShouldBe(["first", "second"]);
        answers.Values.Min().ShouldBeGreaterThanOrEqualTo(5);
    }

    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    internal async Task Pick_first_stays_with_one_server_and_goes_to_the_next_when_it_is_gone(Wiring wiring)
    {
        await using var first = await StartAsync(wiring, "first");
        await using var second = await StartAsync(wiring, "second");
        using var channel = Open(wiring, new PickFirstConfig(), FreePort(), PortOf(first), PortOf(second));

        for (var i = 0; i < 5; i++)
            (await CallAsync(channel)).ShouldBe("first");
        await first.StopAsync(CancellationToken.None).Within();

        (await CallAsync(channel, new CallOptions().WithWaitForReady())).ShouldBe("second");
    }

    [Fact]
    public async Task Call_fails_at_once_where_no_server_is_and_waits_where_it_is_asked_to()
    {
        var port = FreePort();
        using var channel = Open(Wiring.Tcp, new PickFirstConfig(), port);
        var client = new Probe.ProbeClient(channel);
        channel.State.ShouldBe(ConnectivityState.Idle);

        var failed = await ErrorOf(client.UnaryAsync(new ProbeRequest()).ResponseAsync);
        failed.StatusCode.ShouldBe(StatusCode.Unavailable);
        failed.Status.Detail.ShouldContain($"127.0.0.1:{port}");
        channel.State.ShouldBe(ConnectivityState.TransientFailure);
        (await ErrorOf(client.UnaryAsync(new ProbeRequest(), new CallOptions().WithWaitForReady()
            .WithDeadline(DateTime.UtcNow.AddMilliseconds(150))).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.DeadlineExceeded);

        var waiting = client.UnaryAsync(new ProbeRequest(), new CallOptions().WithWaitForReady());
        await using var host = await StartAsync(Wiring.Tcp, "late", port);
        (await waiting.ResponseAsync.Within()).Text.ShouldBe("late");
        channel.State.ShouldBe(ConnectivityState.Ready);
    }

    [Fact]
    public async Task State_tells_of_connecting_of_loss_and_of_the_end()
    {
        await using var host = await StartAsync(Wiring.Tcp, "here");
        var channel = GrpcChannel.ForAddress(host.Address);

        channel.State.ShouldBe(ConnectivityState.Idle);
        await channel.ConnectAsync().Within();
        channel.State.ShouldBe(ConnectivityState.Ready);
        await CallAsync(channel);
        var lost = channel.WaitForStateChangedAsync(ConnectivityState.Ready);
        await host.StopAsync(CancellationToken.None).Within();
        await lost.Within();
        channel.State.ShouldBe(ConnectivityState.Idle);
        channel.Dispose();
        channel.State.ShouldBe(ConnectivityState.Shutdown);
    }

    [Fact]
    public async Task Server_that_closes_every_connection_is_asked_again_only_after_a_while()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var accepted = 0;
        var accepting = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref accepted);
            }
        });
        using var channel = GrpcChannel.ForAddress(
            $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}",
            new GrpcChannelOptions { InitialReconnectBackoff = TimeSpan.FromMinutes(1) });
        var client = new Probe.ProbeClient(channel);

        for (var i = 0; i < 20; i++)
        {
            (await ErrorOf(client.UnaryAsync(new ProbeRequest()).ResponseAsync))
                .StatusCode.ShouldBe(StatusCode.Unavailable);
        }

        // HttpClient tries a call that was not sent a few times; after that the address rests.
        accepted.ShouldBeLessThan(10);
        listener.Stop();
        await Record.ExceptionAsync(() => accepting.Within());
    }

    [Fact]
    public async Task Resolver_moves_calls_to_new_addresses_and_says_why_there_are_none()
    {
        await using var first = await StartAsync(Wiring.Tcp, "first");
        await using var second = await StartAsync(Wiring.Tcp, "second");
        var resolver = new ManualResolver();
        using var channel = GrpcChannel.ForAddress("manual:///service", new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Insecure,
            ServiceProvider = new ServiceCollection()
                .AddSingleton<ResolverFactory>(new ManualFactory(resolver)).BuildServiceProvider(),
        });
        var client = new Probe.ProbeClient(channel);

        resolver.Tell(ResolverResult.ForFailure(new Status(StatusCode.Unavailable, "no such name")));
        (await ErrorOf(client.UnaryAsync(new ProbeRequest()).ResponseAsync)).Status.Detail.ShouldBe("no such name");
        resolver.Tell(ResolverResult.ForResult([new BalancerAddress("127.0.0.1", PortOf(first))]));
        (await CallAsync(channel)).ShouldBe("first");
        resolver.Tell(ResolverResult.ForFailure(new Status(StatusCode.Unavailable, "no such name")));
        (await CallAsync(channel)).ShouldBe("first");
        resolver.Tell(ResolverResult.ForResult([new BalancerAddress("127.0.0.1", PortOf(second))]));
        (await CallAsync(channel)).ShouldBe("second");
    }

    [Fact]
    public void Channel_says_what_it_cannot_do()
    {
        var own = new SocketsHttpHandler { ConnectCallback = (_, _) => throw new IOException() };
        using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = own });

        Should.Throw<InvalidOperationException>(() => channel.State);
        Should.Throw<InvalidOperationException>(() => GrpcChannel.ForAddress("static:///x"))
            .Message.ShouldContain("Credentials");
        Should.Throw<InvalidOperationException>(() => GrpcChannel.ForAddress(
            "static:///x", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }))
            .Message.ShouldContain("ResolverFactory");
        Should.Throw<InvalidOperationException>(() => GrpcChannel.ForAddress(
            "static:///x", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure, HttpHandler = own }))
            .Message.ShouldContain("ConnectCallback");
    }

    static GrpcChannel Open(Wiring wiring, LoadBalancingConfig policy, params int[] ports)
    {
        var factory = new StaticResolverFactory(_ => ports.Select(port => new BalancerAddress("127.0.0.1", port)));
        return GrpcChannel.ForAddress("static:///servers", new GrpcChannelOptions
        {
            Credentials = wiring == Wiring.Tls ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
            HttpHandler = wiring == Wiring.Tls ? TestCertificates.CreateHandler() : null,
            ServiceConfig = new ServiceConfig { LoadBalancingConfigs = { policy } },
            ServiceProvider = new ServiceCollection().AddSingleton<ResolverFactory>(factory).BuildServiceProvider(),
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(100),
        });
    }

    static Task<ProbeHost> StartAsync(Wiring wiring, string name, int port = 0) => ProbeHost.StartAsync(
        wiring,
        new ProbeHandlers { Unary = (_, _) => Task.FromResult(new ProbeReply { Text = name }) },
        port: port);

    static async Task<string> CallAsync(GrpcChannel channel, CallOptions options = default) =>
        (await new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest(), options).ResponseAsync.Within()).Text;

    static int PortOf(ProbeHost host) => host.Address.Port;

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();

    sealed class ManualResolver : Resolver
    {
        Action<ResolverResult>? _listener;

        public override void Start(Action<ResolverResult> listener) => _listener = listener;

        public void Tell(ResolverResult result) => _listener!(result);
    }

    sealed class ManualFactory(Resolver resolver) : ResolverFactory
    {
        public override string Name => "manual";

        public override Resolver Create(ResolverOptions options) => resolver;
    }
}
