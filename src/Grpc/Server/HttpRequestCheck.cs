using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Grpc.AspNetCore.Server;

/// <summary>Requests that are no gRPC calls get an HTTP error, since their senders could not read a gRPC one.</summary>
static class HttpRequestCheck
{
    public static bool Refuse(HttpContext context)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = HttpProtocol.Http2;
            return true;
        }

        if (!GrpcHeaders.IsGrpcContentType(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return true;
        }

        return false;
    }
}

/// <summary>
/// A heartbeat of a few bytes every seconds is a healthy stream, and a long one is no large body: Kestrel's minimum
/// rate and maximum size for request bodies do not apply to calls. Messages have limits of their own.
/// </summary>
static class KestrelLimits
{
    public static void Lift(HttpContext context)
    {
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
    }
}
