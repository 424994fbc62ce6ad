using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

public static class ServerCallContextExtensions
{
    const string UserStateKey = "__HttpContext";

    /// <summary>The HTTP request behind the call; for a context made by a test, what its user state holds.</summary>
    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext)
    {
        ArgumentNullException.ThrowIfNull(serverCallContext);
        if (serverCallContext is HttpServerCallContext call)
            return call.HttpContext;
        return serverCallContext.UserState.TryGetValue(UserStateKey, out var value) && value is HttpContext context
            ? context
            : throw new InvalidOperationException("This call context belongs to no HTTP request.");
    }
}
