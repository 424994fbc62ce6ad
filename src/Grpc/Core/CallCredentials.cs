namespace Grpc.Core;

/// <summary>Adds to a call's metadata what shows who makes it, such as a token.</summary>
public delegate Task AsyncAuthInterceptor(AuthInterceptorContext context, Metadata metadata);

/// <summary>What credentials may want to know of the call that they are for.</summary>
public class AuthInterceptorContext(string serviceUrl, string methodName, CancellationToken cancellationToken = default)
{
    /// <summary><c>https://authority/package.Service</c>.</summary>
    public string ServiceUrl { get; } = serviceUrl;

    /// <summary>Without the service's name.</summary>
    public string MethodName { get; } = methodName;

    /// <summary>Of the call.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}

/// <summary>Who makes a call. They go with one call or with all of a channel, and only where TLS hides them.</summary>
public abstract class CallCredentials
{
    public static CallCredentials FromInterceptor(AsyncAuthInterceptor interceptor)
    {
        ArgumentNullException.ThrowIfNull(interceptor);
        return new Intercepted(interceptor);
    }

    /// <summary>All of them, in order; at least two.</summary>
    public static CallCredentials Compose(params CallCredentials[] credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentOutOfRangeException.ThrowIfLessThan(credentials.Length, 2);
        return new Composite([.. credentials]);
    }

    internal abstract Task AddAsync(AuthInterceptorContext context, Metadata metadata);

    sealed class Intercepted(AsyncAuthInterceptor interceptor) : CallCredentials
    {
        internal override Task AddAsync(AuthInterceptorContext context, Metadata metadata) =>
            interceptor(context, metadata);
    }

    sealed class Composite(CallCredentials[] parts) : CallCredentials
    {
        internal override async Task AddAsync(AuthInterceptorContext context, Metadata metadata)
        {
            foreach (var part in parts)
                await part.AddAsync(context, metadata);
        }
    }
}
