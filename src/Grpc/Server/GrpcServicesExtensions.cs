using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

public static class GrpcServicesExtensions
{
    public static IGrpcServerBuilder AddGrpc(this IServiceCollection services)
    {
        services.AddRouting();
        services.Configure<RouteOptions>(
            routes => routes.SetParameterPolicy<GrpcContentTypeConstraint>(GrpcContentTypeConstraint.Name));
        services.AddOptions();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<UnimplementedRoutes>();
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
