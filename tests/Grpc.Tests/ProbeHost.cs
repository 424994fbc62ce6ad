using System.Collections.Concurrent;
using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hexcast.Grpc.Tests;

enum Wiring
{
    Tcp,
    Tls,
    InMemory,
}

/// <summary>A real Kestrel with the probe service, reached over loopback TCP, over TLS or in memory.</summary>
sealed class ProbeHost : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly Wiring _wiring;
    readonly LogLines _log;

    ProbeHost(WebApplication app, Wiring wiring, LogLines log)
    {
        _app = app;
        _wiring = wiring;
        _log = log;
        Channel = CreateChannel(new GrpcChannelOptions());
        Client = new Probe.ProbeClient(Channel);
    }

    public GrpcChannel Channel { get; }

    public Probe.ProbeClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Warnings and errors that the server logged.</summary>
    public IReadOnlyCollection<string> Log => _log.Lines;

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features
        .GetRequiredFeature<IServerAddressesFeature>().Addresses.Single(address => address.Contains("127.0.0.")));

    public static async Task<ProbeHost> StartAsync(
        Wiring wiring,
        ProbeHandlers handlers,
        Action<GrpcServiceOptions>? grpc = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null,
        Action<ListenOptions>? listener = null,
        int port = 0,
        IPEndPoint? endPoint = null)
    {
        var log = new LogLines();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddSingleton(handlers);
        builder.Services.AddGrpc(grpc ?? (_ => { }));
        builder.Services.AddInMemoryTransport();
        // First, so that it can set what listeners take as their default.
        services?.Invoke(builder.Services);
        builder.Services.AddOptions<KestrelServerOptions>().Configure<InMemoryTransport>((kestrel, transport) =>
        {
            if (wiring == Wiring.InMemory)
                kestrel.ListenInMemory(transport);
            else
            {
                kestrel.Listen(endPoint ?? new IPEndPoint(IPAddress.Loopback, port), listen =>
                {
                    Secure(listen, wiring);
                    listener?.Invoke(listen);
                });
            }
        });
        var app = builder.Build();
        if (map is null)
            app.MapGrpcService<ProbeService>();
        else
            map(app);
        await app.StartAsync();
        return new ProbeHost(app, wiring, log);
    }

    public GrpcChannel CreateChannel(GrpcChannelOptions options)
    {
        if (_wiring == Wiring.InMemory)
            return _app.Services.GetRequiredService<InMemoryTransport>().CreateChannel(options);
        if (_wiring == Wiring.Tls && options.HttpHandler is null)
        {
            options.HttpHandler = TestCertificates.CreateHandler();
            options.DisposeHttpClient = true;
        }

        return GrpcChannel.ForAddress(Address, options);
    }

    public Uri BaseAddress => _wiring == Wiring.InMemory ? new Uri("http://in-memory") : Address;

    public SocketsHttpHandler CreateHandler()
    {
        var handler = TestCertificates.CreateHandler();
        if (_wiring == Wiring.InMemory)
            handler.ConnectCallback = _app.Services.GetRequiredService<InMemoryTransport>().ConnectAsync;
        return handler;
    }

    /// <summary>Plain HTTP/2 to the same server, to look at headers or to send what no gRPC client would.</summary>
    public HttpClient CreateHttpClient()
    {
        return new HttpClient(CreateHandler())
        {
            BaseAddress = BaseAddress,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    static void Secure(ListenOptions listen, Wiring wiring)
    {
        listen.Protocols = HttpProtocols.Http2;
        if (wiring == Wiring.Tls)
            listen.UseHttps(TestCertificates.Server);
    }

    public Task StopAsync(CancellationToken grace) => _app.StopAsync(grace);

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _app.DisposeAsync();
    }

    sealed class LogLines : ILoggerProvider, ILogger
    {
        readonly ConcurrentQueue<string> _lines = [];

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                _lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception?.Message}");
        }

        public void Dispose()
        {
        }
    }
}

static class Limits
{
    /// <summary>Far more than anything here takes: a test that reaches it hangs.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    public static Task Within(this Task task) => task.WaitAsync(Hang);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Hang);
}
