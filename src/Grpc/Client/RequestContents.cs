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

/// <summary>An open request body: lends its stream to the writer of messages until that one is done.</summary>
sealed class StreamContent<T> : HttpContent
    where T : class
{
    /// <summary>A buffer that grew over this for one big message is not kept for the small ones after it.</summary>
    const int MaxKeptBufferBytes = 256 * 1024;

    readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Action<T, SerializationContext> _serializer;
    readonly FrameWriter _frames;
    readonly Func<WriteOptions?, MessageCompressor?>? _compressorFor;
    ArrayBufferWriter<byte> _buffer = new();

    /// <param name="marshaller">Of the messages.</param>
    /// <param name="maxMessageBytes">Null: no limit.</param>
    /// <param name="compressorFor">What compresses a message; null: none is compressed.</param>
    public StreamContent(
        Marshaller<T> marshaller, int? maxMessageBytes, Func<WriteOptions?, MessageCompressor?>? compressorFor)
    {
        _compressorFor = compressorFor;
        _serializer = marshaller.ContextualSerializer;
        _frames = new FrameWriter(maxMessageBytes);
        Headers.ContentType = GrpcContentType.Value;
    }

    public bool IsEnded => _ended.Task.IsCompleted;

    public async Task WriteAsync(T message, WriteOptions? options, CancellationToken cancellationToken)
    {
        var stream = await _opened.Task.WaitAsync(cancellationToken);
        try
        {
            _frames.Write(message, _serializer, _buffer, _compressorFor?.Invoke(options));
            await stream.WriteAsync(_buffer.WrittenMemory, cancellationToken);
            if (options is null || !options.Flags.HasFlag(WriteFlags.BufferHint))
                await stream.FlushAsync(cancellationToken);
        }
        finally
        {
            if (_buffer.Capacity > MaxKeptBufferBytes)
                _buffer = new ArrayBufferWriter<byte>();
            else
                _buffer.ResetWrittenCount();
        }
    }

    public void End() => _ended.TrySetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (!_opened.TrySetResult(stream))
            throw new IOException("The connection was lost, and a stream of messages cannot be sent a second time.");
        // The headers must not wait for the first message: the server may have something to say before.
        await stream.FlushAsync(cancellationToken);
        await _ended.Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

static class GrpcContentType
{
    public static readonly MediaTypeHeaderValue Value = new(GrpcHeaders.ContentType);
}
