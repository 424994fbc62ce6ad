using System.Buffers;
using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests;

public sealed class TcpServerTests() : ServerTests(Wiring.Tcp);

public sealed class TlsServerTests() : ServerTests(Wiring.Tls);

public sealed class InMemoryServerTests() : ServerTests(Wiring.InMemory);

/// <summary>What a server makes of faulty handlers, of limits, and of requests that are not what it serves.</summary>
public abstract class ServerTests
{
    readonly Wiring _wiring;

    private protected ServerTests(Wiring wiring) => _wiring = wiring;

    [Fact]
    public async Task Exception_in_a_method_becomes_unknown_and_is_logged_once()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, _) => throw new InvalidOperationException("the secret cause"),
        });

        var error = await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync);

        error.Status.ShouldBe(new Status(StatusCode.Unknown, "Exception was thrown by handler."));
        host.Log.Single().ShouldContain("the secret cause");
    }

    [Fact]
    public async Task Detailed_errors_tell_the_cause_when_they_are_asked_for()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers { Unary = (_, _) => throw new InvalidOperationException("the cause") },
            grpc: options => options.EnableDetailedErrors = true);

        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync)).Status.Detail
            .ShouldBe("Exception was thrown by handler. InvalidOperationException: the cause");
    }

    [Fact]
    public async Task Message_over_the_receive_limit_is_resource_exhausted()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers
            {
                Unary = (_, _) => Task.FromResult(new ProbeReply { Data = ByteString.CopyFrom(new byte[5000]) }),
            },
            grpc: options => options.MaxReceiveMessageSize = 1000);
        var big = new ProbeRequest { Data = ByteString.CopyFrom(new byte[2000]) };

        var byServer = await ErrorOf(host.Client.UnaryAsync(big).ResponseAsync);
        using var narrow = host.CreateChannel(new GrpcChannelOptions { MaxReceiveMessageSize = 4000 });
        var byClient = await ErrorOf(
            new Probe.ProbeClient(narrow).UnaryAsync(new ProbeRequest()).ResponseAsync);

        byServer.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        byServer.Status.Detail.ShouldContain("1000");
        byClient.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        byClient.Status.Detail.ShouldContain("4000");
    }

    [Fact]
    public async Task Message_over_the_default_of_four_mebibytes_is_refused()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, new ProbeHandlers { Unary = (_, _) => Task.FromResult(new ProbeReply()) });

        (await ErrorOf(host.Client.UnaryAsync(
            new ProbeRequest { Data = ByteString.CopyFrom(new byte[4 * 1024 * 1024]) }).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Message_over_the_send_limit_is_resource_exhausted()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers
            {
                Unary = (_, _) => Task.FromResult(new ProbeReply { Data = ByteString.CopyFrom(new byte[5000]) }),
            },
            grpc: options => options.MaxSendMessageSize = 1000);
        using var narrow = host.CreateChannel(new GrpcChannelOptions { MaxSendMessageSize = 1000 });

        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        (await ErrorOf(new Probe.ProbeClient(narrow).UnaryAsync(
            new ProbeRequest { Data = ByteString.CopyFrom(new byte[5000]) }).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Methods_and_services_that_are_not_there_are_unimplemented()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers());

        (await ErrorOf(host.Client.AbsentAsync(new ProbeRequest()).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unimplemented);
        (await CallUnmapped(host, "hexcast.probe.Probe", "NoSuchMethod"))
            .Status.ShouldBe(new Status(StatusCode.Unimplemented, "Method is unimplemented."));
        (await CallUnmapped(host, "no.such.Service", "Method"))
            .Status.ShouldBe(new Status(StatusCode.Unimplemented, "Service is unimplemented."));
    }

    [Fact]
    public async Task Requests_that_are_no_grpc_calls_get_an_http_error()
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers());
        using var http = host.CreateHttpClient();

        var json = await http.SendAsync(Raw.Call("/hexcast.probe.Probe/Unary", [], "application/json")).Within();
        var web = await http.SendAsync(Raw.Call("/hexcast.probe.Probe/Unary", [], "application/grpc-web")).Within();
        var unmapped = await http.SendAsync(Raw.Call("/a/b", [], "application/json")).Within();

        json.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        web.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        unmapped.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("", StatusCode.Internal)]
    [InlineData("00", StatusCode.Internal)]
    [InlineData("0000000005010203", StatusCode.Internal)]
    [InlineData("0000000000 0000000000", StatusCode.Internal)]
    [InlineData("0100000000", StatusCode.Internal)]
    [InlineData("7700000000", StatusCode.Internal)]
    [InlineData("00ffffffff", StatusCode.ResourceExhausted)]
    [InlineData("00000000020aff", StatusCode.Internal)]
    public async Task Broken_frames_end_in_a_clear_status(string hex, StatusCode expected)
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring, new ProbeHandlers { Unary = (_, _) => Task.FromResult(new ProbeReply()) });
        using var http = host.CreateHttpClient();

        using var response = await http.SendAsync(
            Raw.Call("/hexcast.probe.Probe/Unary", Convert.FromHexString(hex.Replace(" ", "")))).Within();

        Raw.StatusOf(response).ShouldBe(expected);
        host.Log.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("grpc-encoding", "snappy", StatusCode.Unimplemented)]
    [InlineData("grpc-encoding", "gzip", StatusCode.OK)]
    [InlineData("grpc-encoding", "identity", StatusCode.OK)]
    [InlineData("grpc-timeout", "soon", StatusCode.InvalidArgument)]
    [InlineData("grpc-timeout", "999999999S", StatusCode.InvalidArgument)]
    [InlineData("grpc-timeout", "-5S", StatusCode.InvalidArgument)]
    [InlineData("grpc-timeout", "99999999H", StatusCode.OK)]
    [InlineData("x-bytes-bin", "***", StatusCode.InvalidArgument)]
    [InlineData("x-odd!key", "v", StatusCode.OK)]
    public async Task Protocol_headers_are_understood_or_refused(string name, string value, StatusCode expected)
    {
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) => Task.FromResult(new ProbeReply { Count = context.RequestHeaders.Count }),
        });
        using var http = host.CreateHttpClient();
        using var request = Raw.Call("/hexcast.probe.Probe/Unary", Raw.Frame(new ProbeRequest()));
        request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();

        using var response = await http.SendAsync(request).Within();

        Raw.StatusOf(response).ShouldBe(expected);
    }

    [Fact]
    public async Task Kestrels_body_limits_do_not_apply_to_calls()
    {
        var cut = new TaskCompletionSource<Exception?>();
        // A plain upload beside the call shows that the limits are really in force, and when their time is up.
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers
            {
                Upload = async (requests, _) =>
                    new ProbeReply { Count = await requests.ReadAllAsync().Select(r => r.Data.Length).SumAsync() },
            },
            services: services => services.Configure<KestrelServerOptions>(kestrel =>
            {
                kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(1_000_000, TimeSpan.FromSeconds(1.1));
                kestrel.Limits.MaxRequestBodySize = 1000;
            }),
            map: app =>
            {
                app.MapGrpcService<ProbeService>();
                app.MapPost("/plain", async (HttpContext context) => cut.SetResult(
                    await Record.ExceptionAsync(() => context.Request.Body.CopyToAsync(Stream.Null))));
            });
        using var http = host.CreateHttpClient();

        using var call = host.Client.Upload();
        await call.RequestStream.WriteAsync(new ProbeRequest { Data = ByteString.CopyFrom(new byte[600]) }).Within();
        using var slow = Raw.Call("/plain", []);
        slow.Content = new EndlessContent();
        var slowCall = Record.ExceptionAsync(() => http.SendAsync(slow).Within());
        (await cut.Task.Within()).ShouldBeAssignableTo<IOException>();
        (await slowCall).ShouldNotBeNull();
        await call.RequestStream.WriteAsync(new ProbeRequest { Data = ByteString.CopyFrom(new byte[600]) }).Within();
        await call.RequestStream.CompleteAsync();

        (await call.ResponseAsync.Within()).Count.ShouldBe(1200);
    }

    [Fact]
    public async Task Interceptors_wrap_every_kind_of_call_on_both_sides_in_order()
    {
        var steps = new List<string>();
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers
            {
                Unary = (_, _) => Task.FromResult(new ProbeReply()),
                Download = (_, responses, _) => responses.WriteAsync(new ProbeReply()),
                Upload = (_, _) => Task.FromResult(new ProbeReply()),
                Talk = (_, responses, _) => responses.WriteAsync(new ProbeReply()),
            },
            grpc: options =>
            {
                options.Interceptors.Add<Tracing>("server outer", steps);
                options.Interceptors.Add<Tracing>("server inner", steps);
            });
        var client = new Probe.ProbeClient(
            host.Channel.Intercept(new Tracing("client outer", steps), new Tracing("client inner", steps)));
        string[] order = ["client outer", "client inner", "server outer", "server inner"];

        await client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();
        steps.ShouldBe(order.Select(step => $"{step} unary"));
        steps.Clear();
        client.Unary(new ProbeRequest());
        steps.ShouldBe(["client outer blocking", "client inner blocking", "server outer unary", "server inner unary"]);
        steps.Clear();
        await client.Download(new ProbeRequest()).ResponseStream.MoveNext().Within();
        steps.ShouldBe(order.Select(step => $"{step} download"));
        steps.Clear();
        await client.Upload().ResponseAsync.Within();
        steps.ShouldBe(order.Select(step => $"{step} upload"));
        steps.Clear();
        await client.Talk().ResponseStream.MoveNext().Within();
        steps.ShouldBe(order.Select(step => $"{step} talk"));
    }

    [Fact]
    public async Task Interceptor_can_refuse_a_call_and_add_headers_to_one()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers { Unary = (_, _) => Task.FromResult(new ProbeReply()) },
            grpc: options => options.Interceptors.Add<NeedsToken>());
        var withToken = new Probe.ProbeClient(host.Channel.Intercept(headers =>
        {
            headers.Add("authorization", "Bearer x");
            return headers;
        }));

        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unauthenticated);
        await withToken.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();
    }

    [Fact]
    public async Task Service_made_for_a_call_is_disposed_with_it_and_a_registered_one_is_kept()
    {
        var disposed = new TaskCompletionSource();
        var registered = new DisposableService(null);
        await using var perCall = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers(),
            services: services => services.AddSingleton(disposed),
            map: app => app.MapGrpcService<DisposableService>());
        await using var singleton = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers(),
            services: services => services.AddSingleton(registered),
            map: app => app.MapGrpcService<DisposableService>());

        await perCall.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();
        await singleton.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();
        await singleton.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        await disposed.Task.Within();
        registered.IsDisposed.ShouldBeFalse();
    }

    [Fact]
    public async Task Definition_with_handlers_is_served_without_a_service_class()
    {
        var method = new Method<string, string>(
            MethodType.Unary, "plain.Text", "Upper", Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers(), map: app => app.MapGrpcService(
            ServerServiceDefinition.CreateBuilder()
                .AddMethod(method, (request, _) => Task.FromResult(request.ToUpperInvariant()))
                .Build()));

        var reply = await host.Channel.CreateCallInvoker()
            .AsyncUnaryCall(method, null, default, "größe").ResponseAsync.Within();

        reply.ShouldBe("GRÖSSE".Replace("SS", "ß"));
    }

    [Fact]
    public async Task Message_that_fails_halfway_resets_the_call_instead_of_sending_half_of_it()
    {
        var halfway = new Marshaller<string>(
            (_, context) =>
            {
                context.SetPayloadLength(100);
                context.GetBufferWriter().Write("half"u8);
                throw new InvalidOperationException("the serializer gave up");
            },
            Marshallers.StringMarshaller.ContextualDeserializer);
        var method = new Method<string, string>(
            MethodType.Unary, "plain.Text", "Half", Marshallers.StringMarshaller, halfway);
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers(), map: app => app.MapGrpcService(
            ServerServiceDefinition.CreateBuilder()
                .AddMethod(method, (request, _) => Task.FromResult(request))
                .Build()));

        var error = await ErrorOf(
            host.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, "").ResponseAsync);

        error.StatusCode.ShouldBe(StatusCode.Internal);
        host.Log.Single().ShouldContain("the serializer gave up");
    }

    [Fact]
    public async Task Options_of_one_service_go_over_those_of_all()
    {
        await using var host = await ProbeHost.StartAsync(
            _wiring,
            new ProbeHandlers { Unary = (_, _) => Task.FromResult(new ProbeReply()) },
            grpc: options => options.Interceptors.Add<NeedsToken>(),
            services: services => services.AddGrpc()
                .AddServiceOptions<ProbeService>(options => options.MaxReceiveMessageSize = 10));
        var token = new Metadata { { "authorization", "x" } };

        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unauthenticated);
        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest { Text = "more than ten" }, token).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Context_tells_method_host_and_peer()
    {
        ServerCallContext? seen = null;
        await using var host = await ProbeHost.StartAsync(_wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                seen = context;
                return Task.FromResult(new ProbeReply { Text = $"{context.Method} {context.Host} {context.Peer}" });
            },
        });

        var reply = await host.Client.WithHost("localhost").UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        reply.Text.ShouldStartWith("/hexcast.probe.Probe/Unary localhost ");
        reply.Text.ShouldContain(_wiring == Wiring.InMemory ? " in-memory" : " ipv4:127.0.0.1:");
        seen!.UserState.ShouldBeEmpty();
    }

    static async Task<RpcException> CallUnmapped(ProbeHost host, string service, string name)
    {
        var method = new Method<string, string>(
            MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        return await ErrorOf(host.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, "").ResponseAsync);
    }

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();

    /// <summary>Sends one byte and then nothing more until the server cuts it off.</summary>
    sealed class EndlessContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(new byte[1], cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    sealed class DisposableService(TaskCompletionSource? disposed) : Probe.ProbeBase, IDisposable
    {
        public bool IsDisposed { get; private set; }

        public override Task<ProbeReply> Unary(ProbeRequest request, ServerCallContext context) =>
            Task.FromResult(new ProbeReply());

        public void Dispose()
        {
            IsDisposed = true;
            disposed?.SetResult();
        }
    }
}
