using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grpc.Net.ClientFactory;

/// <summary>The channels of all registered clients: one a name, made with the first client of it.</summary>
sealed class GrpcClientChannels(
    IServiceProvider root,
    IOptionsMonitor<GrpcClientFactoryOptions> options,
    IHttpMessageHandlerFactory handlers) : IDisposable
{
    readonly ConcurrentDictionary<string, Lazy<(GrpcChannel Channel, CallInvoker Invoker)>> _byName =
        new(StringComparer.Ordinal);

    public CallInvoker InvokerOf(string name) =>
        _byName.GetOrAdd(name, key => new(() => Create(key))).Value.Invoker;

    public void Dispose()
    {
        foreach (var made in _byName.Values.Where(made => made.IsValueCreated))
            made.Value.Channel.Dispose();
    }

    (GrpcChannel Channel, CallInvoker Invoker) Create(string name)
    {
        var client = options.Get(name);
        var address = client.Address ?? throw new InvalidOperationException(
            $"The gRPC client \"{name}\" has no address: AddGrpcClient(options => options.Address = …).");
        var ofChannel = new GrpcChannelOptions
        {
            HttpHandler = handlers.CreateHandler(name),
            ServiceProvider = root,
            TimeProvider = root.GetService<TimeProvider>() ?? TimeProvider.System,
        };
        foreach (var configure in client.ChannelOptionsActions)
            configure(ofChannel);
        var channel = GrpcChannel.ForAddress(address, ofChannel);
        return (channel, Intercepted(channel.CreateCallInvoker(), client, InterceptorScope.Channel, root));
    }

    internal static CallInvoker Intercepted(
        CallInvoker invoker, GrpcClientFactoryOptions client, InterceptorScope scope, IServiceProvider services)
    {
        var interceptors = client.InterceptorRegistrations.Where(registration => registration.Scope == scope)
            .Select(registration => registration.Creator(services)).ToArray();
        return interceptors.Length == 0 ? invoker : invoker.Intercept(interceptors);
    }
}

sealed class ScopedClientFactory(
    IServiceProvider scope, GrpcClientChannels channels, IOptionsMonitor<GrpcClientFactoryOptions> options)
    : GrpcClientFactory
{
    public override TClient CreateClient<TClient>(string name)
    {
        var client = options.Get(name);
        var invoker = channels.InvokerOf(name);
        if (client.CallOptionsActions.Count > 0)
            invoker = new ConfiguringInvoker(invoker, client.CallOptionsActions, scope);
        invoker = GrpcClientChannels.Intercepted(invoker, client, InterceptorScope.Client, scope);
        return client.Creator is null ? ClientOf<TClient>.Make(scope, invoker) : (TClient)client.Creator(invoker);
    }

    static class ClientOf<TClient>
        where TClient : class
    {
        static readonly ObjectFactory<TClient> Factory =
            ActivatorUtilities.CreateFactory<TClient>([typeof(CallInvoker)]);

        public static TClient Make(IServiceProvider services, CallInvoker invoker) => Factory(services, [invoker]);
    }
}

/// <summary>Lets the registered actions change each call's options before it is made.</summary>
sealed class ConfiguringInvoker(
    CallInvoker inner, IEnumerable<Action<CallOptionsContext>> actions, IServiceProvider scope) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        inner.BlockingUnaryCall(method, host, Configured(options), request);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        inner.AsyncUnaryCall(method, host, Configured(options), request);

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        inner.AsyncServerStreamingCall(method, host, Configured(options), request);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        inner.AsyncClientStreamingCall(method, host, Configured(options));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        inner.AsyncDuplexStreamingCall(method, host, Configured(options));

    CallOptions Configured(CallOptions options)
    {
        var context = new CallOptionsContext(options, scope);
        foreach (var action in actions)
            action(context);
        return context.CallOptions;
    }
}
