using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.Net.Client.Balancer;

/// <summary>Puts a channel's connections under its handler, where that can be done.</summary>
static class ConnectionSetup
{
    const int DefaultPort = 80;
    const int DefaultSecurePort = 443;

    /// <summary>The scheme that needs no factory.</summary>
    public const string Dns = "dns";

    /// <summary>Null: the handler connects in its own way, and the channel knows nothing of its connections.</summary>
    /// <exception cref="InvalidOperationException">The address needs what cannot be had.</exception>
    public static ChannelConnections? Attach(
        Uri address, bool isSecure, GrpcChannelOptions options, HttpMessageHandler handler)
    {
        var isHttp = address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps;
        if (Innermost(handler) is not SocketsHttpHandler { ConnectCallback: null } sockets)
        {
            return isHttp ? null : throw new InvalidOperationException(
                $"The address {address} needs a SocketsHttpHandler without a ConnectCallback of its own.");
        }

        var resolver = isHttp
            ? new KnownAddresses([new BalancerAddress(address.IdnHost, address.Port)])
            : FactoryFor(address, options).Create(
                new ResolverOptions(address, isSecure ? DefaultSecurePort : DefaultPort)
                {
                    Time = options.TimeProvider,
                });
        var scheme = isSecure ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var connections = new ChannelConnections(
            resolver, PolicyOf(options.ServiceConfig), options, scheme, sockets.ConnectTimeout);
        try
        {
            sockets.ConnectCallback = connections.OpenAsync;
            return connections;
        }
        catch (InvalidOperationException) when (isHttp)
        {
            // The handler is in use already, by somebody else too: it goes on as it does.
            connections.Dispose();
            return null;
        }
    }

    static ResolverFactory FactoryFor(Uri address, GrpcChannelOptions options) =>
        options.ServiceProvider?.GetServices<ResolverFactory>().FirstOrDefault(
            factory => string.Equals(factory.Name, address.Scheme, StringComparison.OrdinalIgnoreCase))
        ?? (address.Scheme == Dns ? new DnsResolverFactory(Timeout.InfiniteTimeSpan) : null)
        ?? throw new InvalidOperationException(
            $"No ResolverFactory is registered for {address.Scheme}:// in the channel's ServiceProvider.");

    static PickPolicy PolicyOf(ServiceConfig? config) =>
        config?.LoadBalancingConfigs.FirstOrDefault() is RoundRobinConfig ? new RoundRobin() : new PickFirst();

    static HttpMessageHandler? Innermost(HttpMessageHandler? handler)
    {
        while (handler is DelegatingHandler outer)
            handler = outer.InnerHandler;
        return handler;
    }
}
