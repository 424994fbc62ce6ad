using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.ClientFactory;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests.Client;

/// <summary>Clients that come from a container.</summary>
public sealed class ClientFactoryTests
{
    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    [InlineData(Wiring.InMemory)]
    internal async Task Client_from_the_container_calls_its_address(Wiring wiring)
    {
        await using var host = await StartAsync(wiring);
        var services = new ServiceCollection();
        Handled(services.AddGrpcClient<Probe.ProbeClient>(options => options.Address = host.BaseAddress), host);
        await using var provider = services.BuildServiceProvider();

        var client = provider.GetRequiredService<Probe.ProbeClient>();

        (await client.UnaryAsync(new ProbeRequest { Text = "injected" }).ResponseAsync.Within()).Text
            .ShouldStartWith("injected");
        provider.GetRequiredService<Probe.ProbeClient>().ShouldNotBeSameAs(client);
    }

    [Fact]
    public async Task Interceptors_and_credentials_of_a_registration_are_on_each_call_of_its_clients()
    {
        await using var host = await StartAsync(Wiring.Tls);
        var steps = new List<string>();
        var made = 0;
        var services = new ServiceCollection();
        services.AddScoped(_ => new Caller($"caller {++made}"));
        services.AddSingleton(new TracingOf(steps));
        Handled(services.AddGrpcClient<Probe.ProbeClient>((_, options) => options.Address = host.BaseAddress), host)
            .AddInterceptor<TracingOf>()
            .AddInterceptor(InterceptorScope.Client, provider => new Tracing(
                provider.GetRequiredService<Caller>().Name, steps))
            .AddCallCredentials((_, metadata) =>
            {
                metadata.Add("authorization", "fixed");
                return Task.CompletedTask;
            })
            .AddCallCredentials((_, metadata, provider) =>
            {
                metadata.Add("authorization", provider.GetRequiredService<Caller>().Name);
                return Task.CompletedTask;
            });
        await using var provider = services.BuildServiceProvider(validateScopes: true);

        for (var i = 1; i <= 2; i++)
        {
            await using var scope = provider.CreateAsyncScope();
            var client = scope.ServiceProvider.GetRequiredService<Probe.ProbeClient>();
            var reply = await client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();
            reply.Text.ShouldBe($" fixed, caller {i}");
        }

        steps.ShouldBe(["caller 1 unary", "channel unary", "caller 2 unary", "channel unary"]);
    }

    [Fact]
    public async Task Clients_of_one_type_are_told_apart_by_name_and_share_a_channel_each()
    {
        await using var first = await StartAsync(Wiring.Tcp);
        await using var second = await StartAsync(Wiring.Tcp);
        var channels = 0;
        var services = new ServiceCollection();
        services.AddGrpcClient<Probe.ProbeClient>("first", options => options.Address = first.BaseAddress)
            .ConfigureChannel(_ => channels++);
        services.AddGrpcClient<Probe.ProbeClient>("second", options => options.Address = second.BaseAddress)
            .ConfigureChannel((_, options) => options.MaxSendMessageSize = 1)
            .ConfigureGrpcClientCreator(invoker => new Probe.ProbeClient(invoker));
        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<GrpcClientFactory>();

        for (var i = 0; i < 3; i++)
        {
            await factory.CreateClient<Probe.ProbeClient>("first")
                .UnaryAsync(new ProbeRequest { Text = "long enough" }).ResponseAsync.Within();
        }

        channels.ShouldBe(1);
        (await Record.ExceptionAsync(() => factory.CreateClient<Probe.ProbeClient>("second")
            .UnaryAsync(new ProbeRequest { Text = "long enough" }).ResponseAsync.Within()))
            .ShouldBeOfType<RpcException>().StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Fact]
    public void Client_without_an_address_is_refused_with_advice()
    {
        var services = new ServiceCollection();
        services.AddGrpcClient<Probe.ProbeClient>();
        using var provider = services.BuildServiceProvider();

        Should.Throw<InvalidOperationException>(() => provider.GetRequiredService<Probe.ProbeClient>())
            .Message.ShouldContain("Address");
    }

    [Fact]
    public async Task Container_that_is_disposed_closes_the_channels()
    {
        await using var host = await StartAsync(Wiring.Tcp);
        var services = new ServiceCollection();
        services.AddGrpcClient<Probe.ProbeClient>(options => options.Address = host.BaseAddress);
        var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<Probe.ProbeClient>();
        await client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        await provider.DisposeAsync();

        Should.Throw<ObjectDisposedException>(() => client.UnaryAsync(new ProbeRequest()));
    }

    static Task<ProbeHost> StartAsync(Wiring wiring) => ProbeHost.StartAsync(wiring, new ProbeHandlers
    {
        Unary = (request, context) => Task.FromResult(new ProbeReply
        {
            Text = $"{request.Text} {context.RequestHeaders.GetValue("authorization")}".Replace(",", ", ")
                .Replace("  ", " "),
        }),
    });

    static IHttpClientBuilder Handled(IHttpClientBuilder builder, ProbeHost host) =>
        builder.ConfigurePrimaryHttpMessageHandler(host.CreateHandler);

    sealed record Caller(string Name);

    sealed class TracingOf(List<string> steps) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            steps.Add("channel unary");
            return continuation(request, context);
        }
    }
}
