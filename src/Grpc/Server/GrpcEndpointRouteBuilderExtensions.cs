using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

public static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>Serves the methods of a class that derives from a generated <c>XxxBase</c>.</summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        var binder = new EndpointBinder<TService>(builder, OptionsOf<TService>(Services(builder)));
        ServiceMethods.Bind(typeof(TService), binder);
        MapUnimplemented(builder, binder.ServiceNames);
        return new GrpcServiceEndpointConventionBuilder(binder.Endpoints);
    }

    /// <summary>Serves the methods of a definition, with the handlers that it brings.</summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService(
        this IEndpointRouteBuilder builder, ServerServiceDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(definition);
        var options = Services(builder).GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
        var binder = new EndpointBinder<ServerServiceDefinition>(builder, options);
        definition.BindService(binder);
        MapUnimplemented(builder, binder.ServiceNames);
        return new GrpcServiceEndpointConventionBuilder(binder.Endpoints);
    }

    static void MapUnimplemented(IEndpointRouteBuilder builder, IReadOnlyCollection<string> services)
    {
        if (Services(builder).GetRequiredService<IOptions<GrpcServiceOptions>>().Value.IgnoreUnknownServices != true)
            Services(builder).GetRequiredService<UnimplementedRoutes>().Map(builder, services);
    }

    static IServiceProvider Services(IEndpointRouteBuilder builder)
    {
        if (builder.ServiceProvider.GetService<UnimplementedRoutes>() is null)
            throw new InvalidOperationException("Call services.AddGrpc() before MapGrpcService.");
        return builder.ServiceProvider;
    }

    static GrpcServiceOptions OptionsOf<TService>(IServiceProvider services)
        where TService : class =>
        services.GetServices<IConfigureOptions<GrpcServiceOptions<TService>>>().Any()
            ? services.GetRequiredService<IOptions<GrpcServiceOptions<TService>>>().Value
            : services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
}

/// <summary>Adds conventions (host, authorization, metadata) to all endpoints of one service.</summary>
public sealed class GrpcServiceEndpointConventionBuilder : IEndpointConventionBuilder
{
    readonly IReadOnlyList<IEndpointConventionBuilder> _endpoints;

    internal GrpcServiceEndpointConventionBuilder(IReadOnlyList<IEndpointConventionBuilder> endpoints) =>
        _endpoints = endpoints;

    public void Add(Action<EndpointBuilder> convention)
    {
        foreach (var endpoint in _endpoints)
            endpoint.Add(convention);
    }

    public void Finally(Action<EndpointBuilder> finallyConvention)
    {
        foreach (var endpoint in _endpoints)
            endpoint.Finally(finallyConvention);
    }
}
