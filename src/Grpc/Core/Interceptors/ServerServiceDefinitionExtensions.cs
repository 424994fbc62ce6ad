namespace Grpc.Core.Interceptors;

public static class ServerServiceDefinitionExtensions
{
    public static ServerServiceDefinition Intercept(
        this ServerServiceDefinition serverServiceDefinition, Interceptor interceptor)
    {
        ArgumentNullException.ThrowIfNull(serverServiceDefinition);
        ArgumentNullException.ThrowIfNull(interceptor);
        var intercepted = ServerServiceDefinition.CreateBuilder();
        serverServiceDefinition.BindService(new InterceptingBinder(intercepted, interceptor));
        return intercepted.Build();
    }

    /// <summary>The first interceptor is the outermost.</summary>
    public static ServerServiceDefinition Intercept(
        this ServerServiceDefinition serverServiceDefinition, params Interceptor[] interceptors)
    {
        ArgumentNullException.ThrowIfNull(interceptors);
        return interceptors.Reverse().Aggregate(serverServiceDefinition, Intercept);
    }

    sealed class InterceptingBinder(ServerServiceDefinition.Builder builder, Interceptor interceptor)
        : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod<TRequest, TResponse>(
                method, (request, context) => interceptor.UnaryServerHandler(request, context, handler!));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod<TRequest, TResponse>(
                method, (requests, context) => interceptor.ClientStreamingServerHandler(requests, context, handler!));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod<TRequest, TResponse>(
                method,
                (request, responses, context) =>
                    interceptor.ServerStreamingServerHandler(request, responses, context, handler!));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod<TRequest, TResponse>(
                method,
                (requests, responses, context) =>
                    interceptor.DuplexStreamingServerHandler(requests, responses, context, handler!));
    }
}
