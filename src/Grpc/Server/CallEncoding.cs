using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// How the messages of one call are encoded each way. Both sides' choices are free of each other: the caller's by
/// grpc-encoding, this side's by the options or by the method, among what grpc-accept-encoding lists.
/// </summary>
sealed class CallEncoding
{
    readonly HttpContext _http;
    readonly GrpcServiceOptions _options;
    readonly MessageEncodings _encodings;
    MessageCompressor? _compressor;

    public CallEncoding(HttpContext http, GrpcServiceOptions options, MessageEncodings encodings)
    {
        _http = http;
        _options = options;
        _encodings = encodings;
    }

    /// <summary>Null where the caller sends messages as they are.</summary>
    public MessageDecompressor? Decompressor { get; private init; }

    /// <summary>Null where neither side encodes anything: the common case costs nothing.</summary>
    /// <exception cref="RpcException">UNIMPLEMENTED: the caller uses an encoding that is unknown here.</exception>
    public static CallEncoding? Start(
        HttpContext http, GrpcServiceOptions options, MessageEncodings encodings)
    {
        if (options.ResponseCompressionAlgorithm is null && !http.Request.Headers.ContainsKey(GrpcHeaders.Encoding))
            return null;

        var call = new CallEncoding(http, options, encodings)
        {
            Decompressor = ForRequests(http, options, encodings),
        };
        if (options.ResponseCompressionAlgorithm is { } algorithm && Accepts(http, algorithm))
            call.Choose(algorithm);
        return call;
    }

    /// <summary>What responses are encoded with; to be chosen before the response headers are sent.</summary>
    public void Choose(string encoding)
    {
        var provider = _encodings.Require(encoding);
        if (provider is not null && !Accepts(_http, encoding))
            provider = null;
        _compressor = provider is null ? null : new MessageCompressor(provider, _options.ResponseCompressionLevel);
        _http.Response.Headers[GrpcHeaders.Encoding] = provider?.EncodingName ?? GrpcHeaders.Identity;
    }

    public MessageCompressor? CompressorFor(WriteOptions? write) =>
        _compressor is null || (write is not null && write.Flags.HasFlag(WriteFlags.NoCompress)) ? null : _compressor;

    static MessageDecompressor? ForRequests(
        HttpContext http, GrpcServiceOptions options, MessageEncodings encodings)
    {
        if (!http.Request.Headers.TryGetValue(GrpcHeaders.Encoding, out var values))
            return null;
        // Who compresses wants to know with what else it may; others are spared the header.
        http.Response.Headers[GrpcHeaders.AcceptEncoding] = encodings.AcceptList;
        var encoding = values.ToString();
        if (!encodings.TryGet(encoding, out var provider))
        {
            throw new RpcException(new Status(
                StatusCode.Unimplemented,
                $"The message encoding \"{encoding}\" is not understood: send one of {encodings.AcceptList}."));
        }

        return provider is null ? null : new MessageDecompressor(provider, options.MaxReceiveMessageSize);
    }

    static bool Accepts(HttpContext http, string encoding) =>
        MessageEncodings.Lists(http.Request.Headers[GrpcHeaders.AcceptEncoding].ToString(), encoding);
}
