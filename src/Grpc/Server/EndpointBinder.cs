using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// Maps each method to <c>POST /package.Service/Method</c>. Where no handler comes with the method, the service is
/// activated for each call.
/// </summary>
sealed class EndpointBinder<TService>(IEndpointRouteBuilder builder, GrpcServiceOptions options) : ServiceBinderBase
    where TService : class
{
    readonly List<IEndpointConventionBuilder> _endpoints = [];
    readonly HashSet<string> _serviceNames = new(StringComparer.Ordinal);
    readonly CallEndpoint _endpoint = new(
        options,
        builder.ServiceProvider.GetRequiredService<TimeProvider>(),
        builder.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger("Grpc.AspNetCore.Server"));

    public IReadOnlyList<IEndpointConventionBuilder> Endpoints => _endpoints;

    public IReadOnlyCollection<string> ServiceNames => _serviceNames;

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        handler ??= Activated<Func<TService, TRequest, ServerCallContext, Task<TResponse>>,
            UnaryServerMethod<TRequest, TResponse>>(method, open => async (request, context) =>
        {
            var service = ServiceActivator<TService>.For(context);
            try
            {
                return await open(service.Instance, request, context);
            }
            finally
            {
                await service.ReleaseAsync();
            }
        });
        var intercepted = Interception.Unary(options.Interceptors, handler);
        Map(method, context => _endpoint.UnaryAsync(context, method, intercepted));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        handler ??= Activated<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>,
            ClientStreamingServerMethod<TRequest, TResponse>>(method, open => async (requests, context) =>
        {
            var service = ServiceActivator<TService>.For(context);
            try
            {
                return await open(service.Instance, requests, context);
            }
            finally
            {
                await service.ReleaseAsync();
            }
        });
        var intercepted = Interception.ClientStreaming(options.Interceptors, handler);
        Map(method, context => _endpoint.ClientStreamingAsync(context, method, intercepted));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        handler ??= Activated<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>,
            ServerStreamingServerMethod<TRequest, TResponse>>(method, open => async (request, responses, context) =>
        {
            var service = ServiceActivator<TService>.For(context);
            try
            {
                await open(service.Instance, request, responses, context);
            }
            finally
            {
                await service.ReleaseAsync();
            }
        });
        var intercepted = Interception.ServerStreaming(options.Interceptors, handler);
        Map(method, context => _endpoint.ServerStreamingAsync(context, method, intercepted));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        handler ??= Activated<
            Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>,
            DuplexStreamingServerMethod<TRequest, TResponse>>(method, open => async (requests, responses, context) =>
        {
            var service = ServiceActivator<TService>.For(context);
            try
            {
                await open(service.Instance, requests, responses, context);
            }
            finally
            {
                await service.ReleaseAsync();
            }
        });
        var intercepted = Interception.DuplexStreaming(options.Interceptors, handler);
        Map(method, context => _endpoint.DuplexStreamingAsync(context, method, intercepted));
    }

    static THandler Activated<TOpen, THandler>(IMethod method, Func<TOpen, THandler> handler)
        where TOpen : Delegate =>
        handler(ServiceMethods.Open<TService, TOpen>(method.Name));

    void Map(IMethod method, RequestDelegate call)
    {
        _serviceNames.Add(method.ServiceName);
        _endpoints.Add(builder.MapPost(method.FullName, call)
            .WithDisplayName($"gRPC - {method.FullName}")
            .WithMetadata(new GrpcMethodMetadata(typeof(TService), method)));
    }
}

/// <summary>Tells middleware which gRPC method an endpoint is.</summary>
public sealed class GrpcMethodMetadata(Type serviceType, IMethod method)
{
    public Type ServiceType { get; } = serviceType;

    public IMethod Method { get; } = method;
}
