using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Core.Utils;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Grpc.Tests;

/// <summary>What users of the official packages find in examples, and expect to compile and to work.</summary>
public sealed class SurfaceTests
{
    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    [InlineData(Wiring.InMemory)]
    internal async Task Channel_over_an_http_client_streams_and_leaves_the_client_to_its_owner(Wiring wiring)
    {
        await using var host = await ProbeHost.StartAsync(wiring, new ProbeHandlers { Talk = EchoAsync });
        using var http = new HttpClient(host.CreateHandler());
        using (var channel = GrpcChannel.ForAddress(host.BaseAddress, new GrpcChannelOptions { HttpClient = http }))
        {
            using var call = new Probe.ProbeClient(channel).Talk();
            for (var i = 0; i < 3; i++)
            {
                await call.RequestStream.WriteAsync(new ProbeRequest { Count = i });
                (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();
                call.ResponseStream.Current.Count.ShouldBe(i);
            }
        }

        using var again = GrpcChannel.ForAddress(
            host.BaseAddress, new GrpcChannelOptions { HttpClient = http, DisposeHttpClient = true });
        using var second = new Probe.ProbeClient(again).Talk();
        await second.RequestStream.CompleteAsync();
        (await second.ResponseStream.MoveNext().Within()).ShouldBeFalse();
        Should.Throw<ArgumentException>(() => GrpcChannel.ForAddress(
            host.BaseAddress, new GrpcChannelOptions { HttpClient = http, HttpHandler = new SocketsHttpHandler() }));
    }

    [Fact]
    public async Task Slow_reader_is_not_cut_off_by_kestrels_rate_for_responses()
    {
        const int messages = 40;
        await using var host = await ProbeHost.StartAsync(
            Wiring.Tcp,
            new ProbeHandlers
            {
                Download = async (_, responses, _) =>
                {
                    var reply = new ProbeReply { Data = ByteString.CopyFrom(new byte[64 * 1024]) };
                    for (var i = 0; i < messages; i++)
                        await responses.WriteAsync(reply);
                },
            },
            services: services => services.Configure<KestrelServerOptions>(kestrel =>
                kestrel.Limits.MinResponseDataRate = new MinDataRate(1_000_000, TimeSpan.FromSeconds(1.1))));
        using var call = host.Client.Download(new ProbeRequest());
        (await call.ResponseStream.MoveNext().Within()).ShouldBeTrue();

        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);

        (await call.ResponseStream.ReadAllAsync().CountAsync().AsTask().Within()).ShouldBe(messages - 1);
    }

    [Fact]
    public async Task Channel_tells_its_logger_of_calls_that_fail()
    {
        await using var host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
        {
            Unary = (_, _) => throw new RpcException(new Status(StatusCode.NotFound, "no such thing")),
        });
        var lines = new Lines();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(lines));
        using var channel = GrpcChannel.ForAddress(
            host.Address, new GrpcChannelOptions { LoggerFactory = factory });

        await Should.ThrowAsync<RpcException>(
            () => new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest()).ResponseAsync);

        lines.All.ShouldBe(["The call hexcast.probe.Probe/Unary ended with NotFound: no such thing"]);
    }

    [Fact]
    public async Task Whole_streams_are_written_and_read_at_once()
    {
        await using var host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
        {
            Talk = async (requests, responses, _) =>
            {
                var all = await requests.ToListAsync();
                await responses.WriteAllAsync(all.Select(request => new ProbeReply { Count = request.Count }));
            },
        });
        using var call = host.Client.Talk();

        await call.RequestStream.WriteAllAsync(Enumerable.Range(0, 5).Select(i => new ProbeRequest { Count = i }));
        var counts = new List<int>();
        await call.ResponseStream.ForEachAsync(reply =>
        {
            counts.Add(reply.Count);
            return Task.CompletedTask;
        });

        counts.ShouldBe([0, 1, 2, 3, 4]);
    }

    [Fact]
    public async Task Definition_is_intercepted_the_first_outermost()
    {
        var steps = new List<string>();
        var method = new Method<string, string>(
            MethodType.Unary, "plain.Text", "Echo", Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        await using var host = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers(), map: app =>
            app.MapGrpcService(ServerServiceDefinition.CreateBuilder()
                .AddMethod(method, (request, _) => Task.FromResult(request))
                .Build()
                .Intercept(new Noting("outer", steps), new Noting("inner", steps))));

        (await host.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, "hello").ResponseAsync.Within())
            .ShouldBe("hello");
        steps.ShouldBe(["outer", "inner"]);
    }

    [Fact]
    public async Task Calls_that_nobody_serves_go_on_where_unknown_services_are_ignored()
    {
        await using var host = await ProbeHost.StartAsync(
            Wiring.Tcp,
            new ProbeHandlers(),
            grpc: options => options.IgnoreUnknownServices = true,
            map: app =>
            {
                app.MapGrpcService<ProbeService>();
                app.MapFallback(() => Results.StatusCode(StatusCodes.Status403Forbidden));
            });
        using var http = host.CreateHttpClient();
        using var request = Raw.Call("/no.Service/Method", []);

        using var response = await http.SendAsync(request).Within();

        response.StatusCode.ShouldBe(System.Net.HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Client_that_propagates_contexts_ends_its_calls_with_the_one_that_they_are_made_for()
    {
        var inner = new TaskCompletionSource();
        var ended = new TaskCompletionSource<DateTime>();
        await using var back = await ProbeHost.StartAsync(Wiring.Tcp, new ProbeHandlers
        {
            Unary = async (_, context) =>
            {
                inner.SetResult();
                await Task.Delay(Timeout.Infinite, context.CancellationToken)
                    .ContinueWith(_ => ended.SetResult(context.Deadline), TaskScheduler.Default);
                return new ProbeReply();
            },
        });
        await using var front = await ProbeHost.StartAsync(
            Wiring.Tcp,
            new ProbeHandlers
            {
                Unary = async (request, context) => await context.GetHttpContext().RequestServices
                    .GetRequiredService<Probe.ProbeClient>().UnaryAsync(request),
            },
            services: services => services.AddGrpcClient<Probe.ProbeClient>(options => options.Address = back.Address)
                .EnableCallContextPropagation());
        using var cancel = new CancellationTokenSource();
        var deadline = DateTime.UtcNow.AddMinutes(1);

        using var call = front.Client.UnaryAsync(
            new ProbeRequest(), deadline: deadline, cancellationToken: cancel.Token);
        await inner.Task.Within();
        await cancel.CancelAsync();

        (await ended.Task.Within()).ShouldBe(deadline, TimeSpan.FromSeconds(10));
        // Outside of any call there is none to end with.
        Should.Throw<InvalidOperationException>(() => front.Services.GetRequiredService<Probe.ProbeClient>()
            .UnaryAsync(new ProbeRequest())).Message.ShouldContain("SuppressContextNotFoundErrors");
    }

    static async Task EchoAsync(
        IAsyncStreamReader<ProbeRequest> requests, IServerStreamWriter<ProbeReply> responses, ServerCallContext context)
    {
        await foreach (var request in requests.ReadAllAsync(context.CancellationToken))
            await responses.WriteAsync(new ProbeReply { Count = request.Count });
    }

    sealed class Noting(string name, List<string> steps) : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            steps.Add(name);
            return continuation(request, context);
        }
    }

    sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) => All.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
