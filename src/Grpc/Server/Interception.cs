using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Grpc.AspNetCore.Server;

/// <summary>Puts the registered interceptors around a handler, the first of them outermost.</summary>
static class Interception
{
    public static UnaryServerMethod<TRequest, TResponse> Unary<TRequest, TResponse>(
        InterceptorCollection interceptors, UnaryServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        Wrap(interceptors, handler, (registration, next) => async (request, context) =>
        {
            var interceptor = Resolve(registration, context);
            try
            {
                return await interceptor.Instance.UnaryServerHandler(request, context, next);
            }
            finally
            {
                await interceptor.ReleaseAsync();
            }
        });

    public static ClientStreamingServerMethod<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(
        InterceptorCollection interceptors, ClientStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        Wrap(interceptors, handler, (registration, next) => async (requests, context) =>
        {
            var interceptor = Resolve(registration, context);
            try
            {
                return await interceptor.Instance.ClientStreamingServerHandler(requests, context, next);
            }
            finally
            {
                await interceptor.ReleaseAsync();
            }
        });

    public static ServerStreamingServerMethod<TRequest, TResponse> ServerStreaming<TRequest, TResponse>(
        InterceptorCollection interceptors, ServerStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        Wrap(interceptors, handler, (registration, next) => async (request, responses, context) =>
        {
            var interceptor = Resolve(registration, context);
            try
            {
                await interceptor.Instance.ServerStreamingServerHandler(request, responses, context, next);
            }
            finally
            {
                await interceptor.ReleaseAsync();
            }
        });

    public static DuplexStreamingServerMethod<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(
        InterceptorCollection interceptors, DuplexStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class =>
        Wrap(interceptors, handler, (registration, next) => async (requests, responses, context) =>
        {
            var interceptor = Resolve(registration, context);
            try
            {
                await interceptor.Instance.DuplexStreamingServerHandler(requests, responses, context, next);
            }
            finally
            {
                await interceptor.ReleaseAsync();
            }
        });

    static THandler Wrap<THandler>(
        InterceptorCollection interceptors,
        THandler handler,
        Func<InterceptorRegistration, THandler, THandler> around) =>
        interceptors.Reverse().Aggregate(handler, (next, registration) => around(registration, next));

    static PerCall<Interceptor> Resolve(InterceptorRegistration registration, ServerCallContext context) =>
        registration.Resolve(context.GetHttpContext().RequestServices);
}
