using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Hexcast.Grpc;

public static class InMemoryTransportExtensions
{
    /// <summary>Registers one <see cref="InMemoryTransport"/> beside Kestrel's sockets.</summary>
    public static IServiceCollection AddInMemoryTransport(this IServiceCollection services)
    {
        services.TryAddSingleton<InMemoryTransport>();
        // Kestrel adds sockets only where no factory is registered, so that adding ours first would displace them.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, SocketTransportFactory>());
        services.AddSingleton<IConnectionListenerFactory>(
            provider => provider.GetRequiredService<InMemoryTransport>());
        return services;
    }

    /// <summary>HTTP/2 only, without TLS.</summary>
    public static void ListenInMemory(this KestrelServerOptions kestrel, InMemoryTransport transport)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        ArgumentNullException.ThrowIfNull(transport);
        kestrel.Listen(transport.EndPoint, listen => listen.Protocols = HttpProtocols.Http2);
    }
}
