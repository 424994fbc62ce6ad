using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>One call as its user sees it; whether it takes one HTTP/2 request or several is its own matter.</summary>
abstract class ClientCall<TRequest, TResponse>(GrpcChannel channel, CallOptions options)
    : CallLifetime(channel, options)
    where TRequest : class
    where TResponse : class
{
    MessageCompressor? _compressor;

    /// <summary>Null: requests go as they are.</summary>
    protected ICompressionProvider? RequestEncoding { get; } =
        options.Headers?.GetValue(GrpcHeaders.EncodingRequest) is { } asked ? channel.Encodings.Require(asked) : null;

    /// <summary>Starts the call with its only request.</summary>
    public abstract void SendUnary(TRequest request);

    /// <summary>Starts the call; requests follow.</summary>
    public abstract void SendStream();

    public abstract ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken);

    public abstract void CompleteRequests();

    /// <summary>The response of a method that has exactly one, once the call has ended with OK.</summary>
    public abstract Task<TResponse> ReadSingleAsync();

    /// <summary>The next response, or null once the call has ended with OK.</summary>
    public abstract ValueTask<TResponse?> ReadNextAsync();

    protected MessageCompressor? CompressorFor(WriteOptions? write) =>
        RequestEncoding is null || (write is not null && write.Flags.HasFlag(WriteFlags.NoCompress))
            ? null
            : _compressor ??= new MessageCompressor(RequestEncoding, level: null);
}
