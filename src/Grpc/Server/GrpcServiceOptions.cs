using System.Collections.ObjectModel;
using System.IO.Compression;
using Grpc.Core.Interceptors;
using Grpc.Net.Compression;
using Grpc.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>How the services of this host receive, send and wrap calls.</summary>
public class GrpcServiceOptions
{
    /// <summary>In bytes; null lifts the limit. Over it the caller gets RESOURCE_EXHAUSTED.</summary>
    public int? MaxReceiveMessageSize { get; set; } = GrpcHeaders.DefaultMaxReceiveMessageSize;

    /// <summary>In bytes; null, the default, is no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Tells callers the type and words of an exception that a method did not catch.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>The encodings that callers may use, besides identity; gzip by default.</summary>
    public IList<ICompressionProvider> CompressionProviders { get; set; } = MessageEncodings.DefaultProviders;

    /// <summary>The encoding of responses to callers that accept it; null, the default, is none.</summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>Null: what the provider takes by default.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>
    /// Of all services together: calls that no mapped method takes go on to what else answers requests, instead of
    /// ending as UNIMPLEMENTED.
    /// </summary>
    public bool? IgnoreUnknownServices { get; set; }

    /// <summary>The first is the outermost.</summary>
    public InterceptorCollection Interceptors { get; } = [];
}

/// <summary>Options of one service; what is not set there comes from <see cref="GrpcServiceOptions"/>.</summary>
public class GrpcServiceOptions<TService> : GrpcServiceOptions
    where TService : class;

public class InterceptorCollection : Collection<InterceptorRegistration>
{
    /// <param name="args">Constructor arguments that the container does not know.</param>
    public void Add<TInterceptor>(params object[] args)
        where TInterceptor : Interceptor =>
        Add(new InterceptorRegistration(typeof(TInterceptor), args));
}

/// <summary>An interceptor: taken from the container or, where that does not know it, made for each call.</summary>
public class InterceptorRegistration
{
    readonly object[] _args;
    readonly Lazy<ObjectFactory> _factory;

    internal InterceptorRegistration(Type type, object[] args)
    {
        Type = type;
        _args = args;
        _factory = new Lazy<ObjectFactory>(
            () => ActivatorUtilities.CreateFactory(type, Array.ConvertAll(args, arg => arg.GetType())));
    }

    public Type Type { get; }

    public IReadOnlyList<object> Arguments => _args;

    internal PerCall<Interceptor> Resolve(IServiceProvider services)
    {
        if (_args.Length == 0 && services.GetService(Type) is Interceptor registered)
            return new(registered, isOwned: false);
        return new((Interceptor)_factory.Value(services, _args), isOwned: true);
    }
}

public interface IGrpcServerBuilder
{
    IServiceCollection Services { get; }
}
