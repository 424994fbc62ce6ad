using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>
/// Writes messages with their 5-byte prefix (compressed flag, length) onto a buffer writer. A serializer that says the
/// length first writes straight into the output; another one is buffered until its length is known.
/// One message at a time.
/// </summary>
sealed class FrameWriter(int? maxMessageBytes) : SerializationContext, IBufferWriter<byte>
{
    public const int PrefixBytes = 5;

    IBufferWriter<byte>? _output;
    ArrayBufferWriter<byte>? _unsized;
    int? _declaredBytes;
    int _writtenBytes;
    bool _complete;

    /// <summary>A serializer failed inside a frame: what went out cannot be followed by anything sensible.</summary>
    public bool IsBroken { get; private set; }

    public void Write<T>(T message, Action<T, SerializationContext> serializer, IBufferWriter<byte> output)
    {
        _output = output;
        _unsized = null;
        _declaredBytes = null;
        _writtenBytes = 0;
        _complete = false;
        try
        {
            serializer(message, this);
            if (!_complete)
                throw new InvalidOperationException("The serializer did not complete its message.");
        }
        catch
        {
            IsBroken = _declaredBytes is not null;
            throw;
        }
        finally
        {
            _output = null;
        }
    }

    public override void SetPayloadLength(int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        if (_declaredBytes is not null || _unsized is not null)
            throw new InvalidOperationException("The length of a message is set once, before its first byte.");
        WritePrefix(payloadLength);
    }

    public override IBufferWriter<byte> GetBufferWriter() =>
        _declaredBytes is null ? _unsized ??= new ArrayBufferWriter<byte>() : this;

    public override void Complete()
    {
        ThrowIfComplete();
        if (_declaredBytes is null)
        {
            var payload = _unsized is null ? default : _unsized.WrittenSpan;
            WritePrefix(payload.Length);
            _output!.Write(payload);
        }
        else if (_writtenBytes != _declaredBytes)
        {
            throw new InvalidOperationException(
                $"The serializer wrote {_writtenBytes} bytes after it had declared {_declaredBytes}.");
        }

        _complete = true;
    }

    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        ThrowIfComplete();
        WritePrefix(payload.Length);
        _output!.Write(payload);
        _complete = true;
    }

    public void Advance(int count)
    {
        if (count > _declaredBytes - _writtenBytes)
            throw new InvalidOperationException($"The serializer wrote more than the declared {_declaredBytes} bytes.");
        _output!.Advance(count);
        _writtenBytes += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => _output!.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => _output!.GetSpan(sizeHint);

    void WritePrefix(int payloadBytes)
    {
        if (payloadBytes > maxMessageBytes)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"A message of {payloadBytes} bytes is over the limit of {maxMessageBytes} for sending."));
        }

        // An array grows once, to what the whole frame needs; pipes take any number of blocks.
        var prefix = _output is ArrayBufferWriter<byte>
            ? _output.GetSpan(PrefixBytes + payloadBytes)
            : _output!.GetSpan(PrefixBytes);
        prefix[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], payloadBytes);
        _output.Advance(PrefixBytes);
        _declaredBytes = payloadBytes;
    }

    void ThrowIfComplete()
    {
        if (_complete)
            throw new InvalidOperationException("The serializer completed its message twice.");
    }
}
