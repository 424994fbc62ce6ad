using System.Collections.Frozen;

namespace Grpc.Wire;

/// <summary>Names and fixed values of the gRPC over HTTP/2 protocol.</summary>
static class GrpcHeaders
{
    public const string ContentType = "application/grpc";
    public const string Te = "te";
    public const string Trailers = "trailers";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string PreviousAttempts = "grpc-previous-rpc-attempts";
    public const string Identity = "identity";

    /// <summary>Metadata by which this side's own code chooses an encoding; it never goes out.</summary>
    public const string EncodingRequest = "grpc-internal-encoding-request";

    /// <summary>Default of both sides, in bytes; senders are not limited unless they ask for it.</summary>
    public const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    // What the protocol or HTTP itself sets never comes from metadata and never shows up in it.
    static readonly FrozenSet<string> Reserved = new[]
    {
        "accept-encoding", "connection", "content-length", "content-type", "host", Te, "trailer", "transfer-encoding",
        Status, Message, Timeout, Encoding, AcceptEncoding, EncodingRequest,
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsReserved(string name) => name.StartsWith(':') || Reserved.Contains(name);

    /// <summary><c>application/grpc</c>, alone or followed by <c>+format</c> or parameters.</summary>
    public static bool IsGrpcContentType(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';' or ' ');
}
