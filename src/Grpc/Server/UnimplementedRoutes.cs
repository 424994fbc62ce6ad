using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// Answers gRPC calls that no mapped method takes. The routes match gRPC requests only and come last, so that the
/// application's other endpoints keep their 404s.
/// </summary>
sealed class UnimplementedRoutes
{
    readonly HashSet<string> _services = new(StringComparer.Ordinal);

    public void Map(IEndpointRouteBuilder builder, IReadOnlyCollection<string> serviceNames)
    {
        if (_services.Count == 0)
            Add(builder, "{service}", "Service is unimplemented.", order: int.MaxValue);
        foreach (var service in serviceNames)
        {
            if (_services.Add(service))
                Add(builder, service, "Method is unimplemented.", order: int.MaxValue - 1);
        }
    }

    static void Add(IEndpointRouteBuilder builder, string service, string detail, int order) =>
        builder.MapPost($"{service}/{{method:{GrpcContentTypeConstraint.Name}}}", context => Answer(context, detail))
            .WithOrder(order)
            .WithDisplayName($"gRPC - /{service}/(unimplemented)");

    static Task Answer(HttpContext context, string detail)
    {
        if (HttpRequestCheck.Refuse(context))
            return Task.CompletedTask;
        KestrelLimits.Lift(context);
        context.Response.ContentType = GrpcHeaders.ContentType;
        context.Response.Headers[GrpcHeaders.Status] = ((int)StatusCode.Unimplemented).ToString();
        context.Response.Headers[GrpcHeaders.Message] = detail;
        return Task.CompletedTask;
    }
}

sealed class GrpcContentTypeConstraint : IRouteConstraint
{
    public const string Name = "grpccontenttype";

    public bool Match(
        HttpContext? httpContext,
        IRouter? route,
        string routeKey,
        RouteValueDictionary values,
        RouteDirection routeDirection) =>
        httpContext is null || GrpcHeaders.IsGrpcContentType(httpContext.Request.ContentType);
}
