using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>One message, serialized at once, so that the request can be sent again on a new connection.</summary>
sealed class UnaryContent<T> : HttpContent
    where T : class
{
    readonly ArrayBufferWriter<byte> _frame = new();

    public UnaryContent(Marshaller<T> marshaller, T message, int? maxMessageBytes, MessageCompressor? compressor)
    {
        new FrameWriter(maxMessageBytes).Write(message, marshaller.ContextualSerializer, _frame, compressor);
        Headers.ContentType = GrpcContentType.Value;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        stream.WriteAsync(_frame.WrittenMemory, cancellationToken).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = _frame.WrittenCount;
        return true;
    }
}

static class GrpcContentType
{
    public static readonly MediaTypeHeaderValue Value = new(GrpcHeaders.ContentType);
}
