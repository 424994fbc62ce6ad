using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Grpc.Net.ClientFactory;

/// <summary>How the clients of one name are made. Their channel is made once, and theirs together.</summary>
public class GrpcClientFactoryOptions
{
    public Uri? Address { get; set; }

    public IList<Action<GrpcChannelOptions>> ChannelOptionsActions { get; } = [];

    /// <summary>What each call starts from, such as credentials.</summary>
    public IList<Action<CallOptionsContext>> CallOptionsActions { get; } = [];

    public IList<InterceptorRegistration> InterceptorRegistrations { get; } = [];

    /// <summary>Makes the client instead of its constructor that takes a call invoker.</summary>
    public Func<CallInvoker, object>? Creator { get; set; }
}

public sealed class CallOptionsContext(CallOptions callOptions, IServiceProvider serviceProvider)
{
    public CallOptions CallOptions { get; set; } = callOptions;

    /// <summary>Of the scope that the client was made in.</summary>
    public IServiceProvider ServiceProvider { get; } = serviceProvider;
}

public enum InterceptorScope
{
    /// <summary>Made once, with the channel.</summary>
    Channel,

    /// <summary>Made with each client, from its scope.</summary>
    Client,
}

public class InterceptorRegistration(InterceptorScope scope, Func<IServiceProvider, Interceptor> creator)
{
    public InterceptorScope Scope { get; } = scope;

    public Func<IServiceProvider, Interceptor> Creator { get; } = creator;
}

/// <summary>Makes clients by the name that they were registered with.</summary>
public abstract class GrpcClientFactory
{
    public abstract TClient CreateClient<TClient>(string name)
        where TClient : class;
}
