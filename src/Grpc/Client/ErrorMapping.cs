using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>What failures below gRPC mean, by the tables of the gRPC over HTTP/2 protocol.</summary>
static class ErrorMapping
{
    public static StatusCode ToStatusCode(HttpStatusCode code) => code switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    public static Status ToStatus(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case RpcException rpc:
                    return rpc.Status;
                case HttpProtocolException protocol:
                    return new Status(ToStatusCode(protocol), Words(e), e);
                case HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return new Status(StatusCode.Unavailable, Words(e), e);
                // Not by this side, whose cancellation has ended the call before: by a stream that the peer gave up.
                case OperationCanceledException:
                    return new Status(StatusCode.Unavailable, "The server reset the call's stream.", e);
            }
        }

        return e switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } =>
                new Status(StatusCode.Internal, Words(e), e),
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
                new Status(StatusCode.ResourceExhausted, Words(e), e),
            HttpRequestException or IOException or SocketException or ObjectDisposedException =>
                new Status(StatusCode.Unavailable, Words(e), e),
            _ => new Status(StatusCode.Internal, Words(e), e),
        };
    }

    /// <summary>What it means that a call's credentials threw that, before anything was sent.</summary>
    public static Status OfCredentials(Exception e) => new(
        e switch
        {
            OperationCanceledException => StatusCode.Cancelled,
            HttpRequestException or IOException or SocketException => StatusCode.Unavailable,
            _ => StatusCode.Internal,
        },
        $"The call's credentials failed: {e.Message}",
        e);

    // RFC 9113 section 7.
    static StatusCode ToStatusCode(HttpProtocolException e) => e.ErrorCode switch
    {
        // RST_STREAM where a status should have been; or GOAWAY, after which a call is to be tried elsewhere.
        0x0 => IsOfStream(e) ? StatusCode.Internal : StatusCode.Unavailable,
        // The connection that this side gave up itself: no answer came to a ping, or what came was no HTTP/2.
        0x1 when !IsOfStream(e) && !IsGoAway(e) => StatusCode.Unavailable,
        0x7 => StatusCode.Unavailable,
        0x8 => StatusCode.Cancelled,
        0xb => StatusCode.ResourceExhausted,
        0xc => StatusCode.PermissionDenied,
        0xd => StatusCode.Unknown,
        _ => StatusCode.Internal,
    };

    // .NET tells RST_STREAM, GOAWAY and its own end of a connection apart by its words only.
    static bool IsOfStream(HttpProtocolException e) => e.Message.Contains("reset the stream", StringComparison.Ordinal);

    static bool IsGoAway(HttpProtocolException e) =>
        e.Message.Contains("closed the connection", StringComparison.Ordinal);

    static string Words(Exception e)
    {
        var words = $"The call failed: {e.Message}";
        for (var cause = e.InnerException; cause is not null; cause = cause.InnerException)
            words += $" {cause.Message}";
        return words;
    }
}
