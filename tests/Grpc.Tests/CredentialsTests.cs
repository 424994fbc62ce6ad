using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Grpc.Tests;

/// <summary>TLS as handlers and Kestrel set it up, and what channels and calls carry to show who calls.</summary>
public sealed class CredentialsTests
{
    [Fact]
    public async Task Credentials_of_the_channel_come_before_those_of_the_call_and_know_what_is_called()
    {
        var contexts = new List<AuthInterceptorContext>();
        CallCredentials Token(string token) => CallCredentials.FromInterceptor(async (context, metadata) =>
        {
            contexts.Add(context);
            await Task.Yield();
            metadata.Add("authorization", token);
        });
        await using var host = await ProbeHost.StartAsync(Wiring.Tls, EchoAuthorization());
        using var channel = host.CreateChannel(new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Create(
                ChannelCredentials.SecureSsl, CallCredentials.Compose(Token("a"), Token("b"))),
        });

        var client = new Probe.ProbeClient(channel);
        var ofBoth = await client.UnaryAsync(
            new ProbeRequest(), new CallOptions(credentials: Token("c"))).ResponseAsync.Within();
        var ofChannel = await client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();
        using var upload = client.Upload();
        await upload.RequestStream.CompleteAsync();
        var ofStream = await upload.ResponseAsync.Within();

        ofBoth.Text.ShouldBe("a,b,c");
        ofChannel.Text.ShouldBe("a,b");
        ofStream.Text.ShouldBe("a,b");
        contexts[0].ServiceUrl.ShouldBe($"{host.Address.GetLeftPart(UriPartial.Authority)}/hexcast.probe.Probe");
        contexts[0].MethodName.ShouldBe("Unary");
    }

    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.InMemory)]
    internal async Task Credentials_go_without_tls_only_where_that_is_asked_for(Wiring wiring)
    {
        await using var host = await ProbeHost.StartAsync(wiring, EchoAuthorization());
        var credentials = CallCredentials.FromInterceptor((_, metadata) =>
        {
            metadata.Add("authorization", "secret");
            return Task.CompletedTask;
        });
        using var unsafely = host.CreateChannel(
            new GrpcChannelOptions { UnsafeUseInsecureChannelCallCredentials = true });
        var options = new CallOptions(credentials: credentials);

        (await ErrorOf(host.Client.UnaryAsync(new ProbeRequest(), options).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unauthenticated);
        (await new Probe.ProbeClient(unsafely).UnaryAsync(new ProbeRequest(), options).ResponseAsync.Within())
            .Text.ShouldBe("secret");
    }

    [Fact]
    public async Task Credentials_that_fail_end_the_call_before_it_is_sent()
    {
        var calls = 0;
        await using var host = await ProbeHost.StartAsync(Wiring.Tls, new ProbeHandlers
        {
            Unary = (_, _) => Task.FromResult(new ProbeReply { Count = ++calls }),
        });
        CallOptions Failing(Exception e) => new(credentials: CallCredentials.FromInterceptor((_, _) => throw e));

        var byStatus = await ErrorOf(host.Client.UnaryAsync(
            new ProbeRequest(), Failing(new RpcException(new Status(StatusCode.PermissionDenied, "no token"))))
            .ResponseAsync);
        var byNetwork = await ErrorOf(host.Client.UnaryAsync(
            new ProbeRequest(), Failing(new HttpRequestException("no token server"))).ResponseAsync);

        var byTimeout = await ErrorOf(host.Client.UnaryAsync(
            new ProbeRequest(), Failing(new TaskCanceledException("timeout", new TimeoutException()))).ResponseAsync);
        var byMistake = await ErrorOf(host.Client.UnaryAsync(
            new ProbeRequest(), Failing(new InvalidOperationException("no", new OperationCanceledException())))
            .ResponseAsync);

        byStatus.Status.ShouldBe(new Status(StatusCode.PermissionDenied, "no token"));
        byNetwork.StatusCode.ShouldBe(StatusCode.Unavailable);
        byTimeout.StatusCode.ShouldBe(StatusCode.Cancelled);
        byTimeout.Status.Detail.ShouldBe("The call's credentials failed: timeout");
        byMistake.StatusCode.ShouldBe(StatusCode.Internal);
        byMistake.Status.Detail.ShouldBe("The call's credentials failed: no");
        calls.ShouldBe(0);
    }

    [Fact]
    public async Task Time_that_the_credentials_take_is_not_left_for_the_server()
    {
        var clock = new ManualClock();
        var timeouts = new TimeoutRecorder(TestCertificates.CreateHandler());
        await using var host = await ProbeHost.StartAsync(Wiring.Tls, EchoAuthorization());
        using var channel = host.CreateChannel(new GrpcChannelOptions
        {
            HttpHandler = timeouts,
            DisposeHttpClient = true,
            TimeProvider = clock,
        });
        var credentials = CallCredentials.FromInterceptor((_, _) =>
        {
            clock.Advance(TimeSpan.FromSeconds(40));
            return Task.CompletedTask;
        });

        await new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest(), new CallOptions(
            deadline: clock.GetUtcNow().UtcDateTime.AddSeconds(100), credentials: credentials)).ResponseAsync.Within();

        timeouts.Last.ShouldBe("60000000u");
    }

    [Fact]
    public void Credentials_and_address_must_agree_about_tls()
    {
        Should.Throw<InvalidOperationException>(() => GrpcChannel.ForAddress(
            "http://localhost", new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl }));
        Should.Throw<InvalidOperationException>(() => GrpcChannel.ForAddress(
            "https://localhost", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }));
        GrpcChannel.ForAddress(
            "http://localhost", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }).Dispose();
        Should.Throw<ArgumentOutOfRangeException>(() => CallCredentials.Compose());
    }

    [Fact]
    public async Task Server_whose_certificate_is_not_trusted_is_unavailable()
    {
        await using var host = await ProbeHost.StartAsync(Wiring.Tls, EchoAuthorization());
        using var channel = GrpcChannel.ForAddress(host.Address);

        var error = await ErrorOf(new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest()).ResponseAsync);

        error.StatusCode.ShouldBe(StatusCode.Unavailable);
        error.Status.Detail.ShouldContain("certificate");
    }

    [Fact]
    public async Task Caller_with_a_certificate_is_known_by_its_names()
    {
        AuthContext? seen = null;
        await using var host = await StartMutualAsync(context => seen = context.AuthContext);
        using var channel = GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions
        {
            HttpHandler = TestCertificates.CreateHandler(TestCertificates.Client),
            DisposeHttpClient = true,
        });

        var reply = await new Probe.ProbeClient(channel).UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        reply.Text.ShouldStartWith("ipv4:127.0.0.1:");
        seen!.IsPeerAuthenticated.ShouldBeTrue();
        seen.PeerIdentityPropertyName.ShouldBe("x509_subject_alternative_name");
        seen.PeerIdentity.Select(name => name.Value).ShouldBe([TestCertificates.ClientName, "127.0.0.1"]);
        seen.FindPropertiesByName("x509_common_name").Single().Value.ShouldBe(TestCertificates.ClientName);
        seen.FindPropertiesByName("other").ShouldBeEmpty();
        seen.Properties.Count().ShouldBe(3);
    }

    [Fact]
    public async Task Caller_without_a_certificate_is_turned_away_where_one_is_required()
    {
        await using var host = await StartMutualAsync(_ => { });

        var error = await ErrorOf(host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync);

        error.StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Theory]
    [InlineData(Wiring.Tcp)]
    [InlineData(Wiring.Tls)]
    [InlineData(Wiring.InMemory)]
    internal async Task Caller_without_a_certificate_is_not_authenticated(Wiring wiring)
    {
        AuthContext? seen = null;
        await using var host = await ProbeHost.StartAsync(wiring, new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                seen = context.AuthContext;
                return Task.FromResult(new ProbeReply());
            },
        });

        await host.Client.UnaryAsync(new ProbeRequest()).ResponseAsync.Within();

        seen!.IsPeerAuthenticated.ShouldBeFalse();
        seen.PeerIdentity.ShouldBeEmpty();
    }

    static ProbeHandlers EchoAuthorization()
    {
        static Task<ProbeReply> Echo(ServerCallContext context) => Task.FromResult(new ProbeReply
        {
            Text = string.Join(',', context.RequestHeaders.GetAll("authorization").Select(entry => entry.Value))
                .Replace(" ", ""),
        });
        return new ProbeHandlers
        {
            Unary = (_, context) => Echo(context),
            Upload = (_, context) => Echo(context),
        };
    }

    static Task<ProbeHost> StartMutualAsync(Action<ServerCallContext> look) => ProbeHost.StartAsync(
        Wiring.Tls,
        new ProbeHandlers
        {
            Unary = (_, context) =>
            {
                look(context);
                return Task.FromResult(new ProbeReply { Text = context.Peer });
            },
        },
        services: services => services.Configure<KestrelServerOptions>(
            kestrel => kestrel.ConfigureHttpsDefaults(https =>
            {
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (certificate, _, _) =>
                {
                    using var chain = new X509Chain { ChainPolicy = TestCertificates.TrustPolicy() };
                    return chain.Build(certificate);
                };
            })));

    static async Task<RpcException> ErrorOf(Task task) =>
        (await Record.ExceptionAsync(() => task.Within())).ShouldBeOfType<RpcException>();

    sealed class TimeoutRecorder(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public string? Last { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Last = request.Headers.GetValues("grpc-timeout").Single();
            return base.SendAsync(request, cancellationToken);
        }
    }
}
