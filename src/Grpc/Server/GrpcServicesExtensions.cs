using Grpc.AspNetCore.Server;
using Hexcast.Grpc;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

public static class GrpcServicesExtensions
{
    /// <summary>
    /// What a client may send in one frame: a message of 1 MB in 4 frames instead of 61 is taken half as fast again.
    /// Kestrel holds one such frame a connection.
    /// </summary>
    const int FrameBytes = 256 * 1024;

    /// <summary>RFC 9113 section 6.5.2, and Kestrel's default.</summary>
    const int Http2SmallestFrame = 16 * 1024;

    public static IGrpcServerBuilder AddGrpc(this IServiceCollection services)
    {
        services.AddRouting();
        services.Configure<RouteOptions>(
            routes => routes.SetParameterPolicy<GrpcContentTypeConstraint>(GrpcContentTypeConstraint.Name));
        services.AddOptions();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<UnimplementedRoutes>();
        // Kestrel registers its own where nobody has done so before: whatever comes first or last, ours is taken.
        services.RemoveAll<IMemoryPoolFactory<byte>>();
        services.AddSingleton<IMemoryPoolFactory<byte>, NetworkBlocks>();
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            if (kestrel.Limits.Http2.MaxFrameSize == Http2SmallestFrame)
                kestrel.Limits.Http2.MaxFrameSize = FrameBytes;
        });
        return new GrpcServerBuilder(services);
    }

    public static IGrpcServerBuilder AddGrpc(this IServiceCollection services, Action<GrpcServiceOptions> configure)
    {
        services.Configure(configure);
        return services.AddGrpc();
    }

    public static IGrpcServerBuilder AddServiceOptions<TService>(
        this IGrpcServerBuilder builder, Action<GrpcServiceOptions<TService>> configure)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<Options.IConfigureOptions<GrpcServiceOptions<TService>>>(
            provider => new FromGlobalOptions<TService>(
                provider.GetRequiredService<Options.IOptions<GrpcServiceOptions>>().Value, configure));
        return builder;
    }

    sealed class GrpcServerBuilder(IServiceCollection services) : IGrpcServerBuilder
    {
        public IServiceCollection Services => services;
    }

    // The global interceptors stay outside of the service's own.
    sealed class FromGlobalOptions<TService>(
        GrpcServiceOptions global, Action<GrpcServiceOptions<TService>> configure)
        : Options.IConfigureOptions<GrpcServiceOptions<TService>>
        where TService : class
    {
        public void Configure(GrpcServiceOptions<TService> options)
        {
            options.MaxReceiveMessageSize = global.MaxReceiveMessageSize;
            options.MaxSendMessageSize = global.MaxSendMessageSize;
            options.EnableDetailedErrors = global.EnableDetailedErrors;
            options.CompressionProviders = [.. global.CompressionProviders];
            options.ResponseCompressionAlgorithm = global.ResponseCompressionAlgorithm;
            options.ResponseCompressionLevel = global.ResponseCompressionLevel;
            foreach (var interceptor in global.Interceptors)
                options.Interceptors.Add(interceptor);
            configure(options);
        }
    }
}
