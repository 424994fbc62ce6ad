using System.Diagnostics;
using Hexcast.Contracts;
using Hexcast.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// A span for each request of the API, and a log line for each that changes something or fails. Named by the route's
/// template, never by the path: nothing that a client writes becomes a name.
/// </summary>
public static class RequestTelemetry
{
    private static readonly ActivitySource Source = new("Hexcast.Http");

    private sealed record Untracedness;

    private sealed record TraceOwner(Func<HttpContext, string?> Traceparent);

    /// <summary>Asked too often to be traced, unless its client traces it: pages' assets, segments, probes.</summary>
    public static TBuilder Untraced<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new Untracedness());

    /// <summary>
    /// The request belongs to a trace that began before, whoever sends it; the client's own context becomes a link.
    /// </summary>
    public static TBuilder TracedUnder<TBuilder>(this TBuilder endpoint, Func<HttpContext, string?> traceparent)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new TraceOwner(traceparent));

    /// <summary>Stands behind routing and around what turns failures into answers.</summary>
    internal static void UseRequestTelemetry(this IApplicationBuilder app, ILogger log, TimeProvider clock) =>
        app.Use((context, next) => context.GetEndpoint() is RouteEndpoint endpoint && IsTraced(context, endpoint)
            ? TraceAsync(context, endpoint, next, log, clock)
            : next(context));

    /// <summary>Calls between roles have metrics of their own, from the gRPC runtime.</summary>
    internal static void UseNoRequestMetrics(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (context.Features.Get<IHttpMetricsTagsFeature>() is { } metrics)
        {
            metrics.MetricsDisabled = true;
        }

        return next(context);
    });

    private static bool IsTraced(HttpContext context, RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<Untracedness>() is null || context.Request.Headers.TraceParent.Count > 0;

    private static async Task TraceAsync(
        HttpContext context, RouteEndpoint endpoint, RequestDelegate next, ILogger log, TimeProvider clock)
    {
        var started = clock.GetTimestamp();
        var route = endpoint.RoutePattern.RawText ?? "/";
        var method = KnownMethod(context.Request.Method);
        using var span = Start(context, endpoint, $"{method} {route}");
        if (MediaIdOf(context) is { } mediaId)
        {
            span?.SetTag(SpanTags.MediaId, mediaId);
        }

        span?.SetTag("http.request.method", method).SetTag("http.route", route);
        await next(context);

        var status = context.Response.StatusCode;
        span?.SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span?.SetTag(SpanTags.ErrorType, status.ToString()).SetStatus(ActivityStatusCode.Error);
        }

        if (status >= StatusCodes.Status500InternalServerError || IsUnsafe(method))
        {
            log.LogInformation(
                "{Method} {Route} answered {Status} in {DurationMs:0} ms",
                method, route, status, clock.GetElapsedTime(started).TotalMilliseconds);
        }
    }

    private static Activity? Start(HttpContext context, RouteEndpoint endpoint, string name)
    {
        var client = TraceHeaders.Read(context.Request.Headers);
        var owner = TraceContexts.Parse(endpoint.Metadata.GetMetadata<TraceOwner>()?.Traceparent(context));
        var joins = owner.IsValid() && client.IsValid() && owner.TraceId != client.TraceId;
        // One that belongs to the same trace as the work keeps the client's span above it.
        var parent = owner.IsValid() && owner.TraceId != client.TraceId ? owner : client;
        return Source.StartActivity(
            name, ActivityKind.Server, parent, tags: null, links: joins ? [new ActivityLink(client)] : null);
    }

    private static string? MediaIdOf(HttpContext context)
    {
        var values = context.Request.RouteValues;
        return (values["media_id"] ?? values["id"]) is string id && MediaId.TryParse(id, out _) ? id : null;
    }

    // As the semantic conventions want it: whatever else a client writes is no name.
    private static string KnownMethod(string method) => method switch
    {
        "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" => method,
        _ => "_OTHER",
    };

    private static bool IsUnsafe(string method) => method is not ("GET" or "HEAD" or "OPTIONS");
}
