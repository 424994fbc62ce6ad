using Grpc.AspNetCore.Server;
using Grpc.HealthCheck;
using Grpc.Net.Client;
using Hexcast.Grpc;
using Hexcast.Platform.Access;
using Hexcast.Platform.Calls;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Http;
using Hexcast.Platform.Identity;
using Hexcast.Platform.Logging;
using Hexcast.Platform.ObjectStore;
using Hexcast.Platform.Presets;
using Hexcast.Platform.Telemetry;
using Hexcast.Platform.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Hosting;

/// <summary>
/// Builds a node from role modules. Three listeners lead into two pipelines:
/// <code>
///   HTTP  (TCP, HTTP/1.1, or TLS)  → problem responses → access → the roles' HTTP endpoints, /healthz, /readyz
///   gRPC  (TCP, HTTP/2; TLS by the certificates of both ends where the node is one of a cluster) ┐
///   in process (memory, HTTP/2)     ┴→ the roles' gRPC services
/// </code>
/// so that nothing meant for roles can be reached through the port that people and players use.
/// </summary>
public static class HexcastHost
{
    /// <summary>Characters of a log line that are written at once.</summary>
    private const int LogLineBuffer = 32 * 1024;

    /// <summary>Of a body that nobody has read yet, for each connection; what is more waits in the socket.</summary>
    private const long RequestBufferBytes = 256 * 1024;

    /// <summary>What belongs to every node, whatever its roles are.</summary>
    public static IReadOnlyList<RoleModule> OwnModules() =>
    [
        new TlsModule(), new ClusterModule(), new ObjectsModule(), new AccessModule(), new TelemetryModule(),
        new GrpcModule(),
    ];

    public static HexcastNode Build(NodeSettings node, IConfiguration configuration, IReadOnlyList<RoleModule> roles)
    {
        IReadOnlyList<RoleModule> modules = [.. OwnModules(), .. roles];
        DurableFiles.CreateDirectory(node.DataFolder);
        var transport = new InMemoryTransport();
        var health = new NodeHealth();
        var roleServices = new List<Func<IServiceProvider, IHostedService>>();
        var log = OpenLog(node);
        var builder = new HostBuilder();
        builder.ConfigureHostConfiguration(
            host => host.AddInMemoryCollection([new("contentRoot", AppContext.BaseDirectory)]));
        builder.ConfigureWebHost(web =>
        {
            web.UseKestrelCore();
            web.UseKestrelHttpsConfiguration();
            web.ConfigureServices(services =>
            {
                AddPlatform(services, node, transport, log);
                services.AddSingleton(health.Service);
                services.AddSingleton(new NodeRoles([.. roles.Select(role => role.Name)]));
                var role = new RoleBuilder(services, configuration, node);
                foreach (var module in modules)
                {
                    module.AddServices(role);
                }

                TakeHostedServices(services, roleServices);
            });
            web.ConfigureKestrel(kestrel => Listen(kestrel, node, transport));
            web.Configure(app => Map(app, modules, health));
        });
        builder.ConfigureLogging(logging =>
        {
            logging.AddProvider(new JsonLines(log, TimeProvider.System));
            logging.SetMinimumLevel(LogLevel.Information);
            logging.AddFilter("Microsoft", LogLevel.Warning);
            logging.AddFilter("System", LogLevel.Warning);
            // What fails at start is thrown to the command line, which says it once.
            logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
            // Its only use is to make the server start an activity for each request; RequestTelemetry makes our own.
            logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        });
        return new HexcastNode(builder.Build(), roleServices, health, log);
    }

    /// <summary>The presets that are shipped, and over them those of the node's data folder.</summary>
    /// <exception cref="InvalidDataException">A file is no preset; the message names it and its fault.</exception>
    public static PresetCatalog LoadPresets(NodeSettings node) => new(
        Path.Combine(AppContext.BaseDirectory, "presets"), Path.Combine(node.DataFolder, "presets"));

    private static void AddPlatform(
        IServiceCollection services, NodeSettings node, InMemoryTransport transport, TextWriter log)
    {
        services.AddSingleton(node);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IdSource>();
        services.AddSingleton(_ => LoadPresets(node));
        // One clock for those who set deadlines and for what keeps them.
        services.AddSingleton(provider => new RoleChannel(transport.CreateChannel(
            new GrpcChannelOptions { TimeProvider = provider.GetRequiredService<TimeProvider>() })));
        services.AddSingleton<IRoleRoutes, OneProcessRoutes>();
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = HexcastNode.StopLimit);
        services.AddSingleton(transport);
        services.AddInMemoryTransport();
        services.AddSingleton<GrpcErrors>();
        services.AddGrpc(grpc => grpc.Interceptors.Add<GrpcErrors>());
        services.AddRouting();
        services.AddApiDocument();
    }

    // The generic host starts hosted services before the server and stops them after it; a role's loops need the
    // server to talk to each other until their end. So the node runs them itself, around the host.
    private static void TakeHostedServices(
        IServiceCollection services, List<Func<IServiceProvider, IHostedService>> roleServices)
    {
        foreach (var descriptor in services.Where(IsRoleService).ToList())
        {
            services.Remove(descriptor);
            roleServices.Add(provider => (IHostedService)(
                descriptor.ImplementationInstance
                ?? descriptor.ImplementationFactory?.Invoke(provider)
                ?? ActivatorUtilities.CreateInstance(provider, descriptor.ImplementationType!)));
        }

        static bool IsRoleService(ServiceDescriptor descriptor) =>
            descriptor.ServiceType == typeof(IHostedService) &&
            descriptor.ImplementationType?.FullName?.StartsWith("Microsoft.", StringComparison.Ordinal) != true;
    }

    private static void Listen(KestrelServerOptions kestrel, NodeSettings node, InMemoryTransport transport)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBufferSize = RequestBufferBytes;
        kestrel.Listen(node.Http, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (kestrel.ApplicationServices.GetService<ServerCertificate>() is { } certificate)
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => ValueTask.FromResult(certificate.Handshake()),
                });
            }
        });
        // A peer that is gone without a word is noticed within half a minute.
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(20);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
        kestrel.Listen(node.Grpc, listen =>
        {
            listen.UseMaxConnectionAge(kestrel.ApplicationServices.GetRequiredService<ConnectionAgeOptions>());
            if (kestrel.ApplicationServices.GetService<NodeCertificate>() is { } certificate)
            {
                ProveNodes(listen, certificate);
            }

            Internal(listen);
        });
        kestrel.Listen(transport.EndPoint, Internal);
    }

    // Only nodes of this cluster come in, and who asks one that may sign to become one.
    private static void ProveNodes(ListenOptions listen, NodeCertificate certificate)
    {
        var connections = listen.ApplicationServices.GetRequiredService<NodeConnections>();
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(certificate.Accept(strangers: certificate.Identity.Signs)),
        });
        listen.Use(next => connection => connections.RunAsync(connection, next));
    }

    // Without TLS nothing negotiates the protocol, so it is HTTP/2 from the first byte.
    private static void Internal(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.Use(next => connection =>
        {
            connection.Features.Set(InternalListener.Mark);
            return next(connection);
        });
    }

    private static void Map(IApplicationBuilder app, IReadOnlyList<RoleModule> modules, NodeHealth health)
    {
        var log = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Hexcast.Http");
        // Before the first role makes a span or counts something.
        app.ApplicationServices.GetRequiredService<TelemetryProviders>();
        app.MapWhen(
            context => context.Features.Get<InternalListener>() is not null,
            grpc =>
            {
                grpc.UseNoRequestMetrics();
                grpc.Use(next => context => NodeConnections.PassAsync(context, next));
                grpc.UseWhen(
                    context => context.Request.Path.StartsWithSegments(ObjectEndpoint.Path),
                    objects => objects.UseProblemResponses(log));
                grpc.UseRouting();
                grpc.Use(next => context =>
                    context.RequestServices.GetRequiredService<CallGates>().InvokeAsync(context, next));
                grpc.UseEndpoints(endpoints =>
                {
                    Each(modules, endpoints, (module, e) => module.MapGrpc(e));
                    endpoints.MapGrpcService<HealthServiceImpl>();
                    health.Cover(endpoints);
                });
            });
        ForwardedClients.Use(app);
        app.UseRouting();
        app.UseRequestTelemetry(log, app.ApplicationServices.GetRequiredService<TimeProvider>());
        app.UseProblemResponses(log);
        AccessGate.Use(app);
        app.UseEndpoints(endpoints =>
        {
            endpoints.MapApiDocument();
            endpoints.MapGet("/healthz", () => "ok\n").AllowAnyone().Untraced()
                .Describe(ApiGroup.Nodes, "Ask whether the process answers", health => health
                    .Answers(200, "`ok`", "text/plain"));
            endpoints.MapGet("/readyz", () =>
                health.IsReady ? Results.Text("ready\n") : Results.Text("starting or stopping\n", statusCode: 503))
                .AllowAnyone().Untraced()
                .Describe(ApiGroup.Nodes, "Ask whether the node is ready", ready => ready
                    .Says("For a load balancer.")
                    .Answers(200, "`ready`", "text/plain")
                    .Answers(503, "`starting or stopping`", "text/plain"));
            Each(modules, endpoints, (module, e) => module.MapHttp(e));
            DeclarationCheck.Require(endpoints);
        });
        app.Run(context => ProblemResponses.WriteProblemAsync(
            context, ErrorCodes.NotFound, $"There is nothing at {context.Request.Method} {context.Request.Path}."));
    }

    private static void Each(
        IReadOnlyList<RoleModule> modules,
        IEndpointRouteBuilder endpoints,
        Action<RoleModule, IEndpointRouteBuilder> map)
    {
        foreach (var module in modules)
        {
            map(module, endpoints);
        }
    }

    // A line reaches the file whole or, on a full disk, not at all: nothing of it stays in a buffer of the file's.
    private static StreamWriter OpenLog(NodeSettings node) => new(
        node.LogFile is null
            ? Console.OpenStandardOutput()
            : new FileStream(node.LogFile, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0),
        bufferSize: LogLineBuffer);

    private sealed class InternalListener
    {
        public static readonly InternalListener Mark = new();
    }

    // Signals are the command line's business: it stops the node in its own order.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
