using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>
/// Writes messages with their 5-byte prefix (compressed flag, length) onto a buffer writer. A serializer that says the
/// length first writes straight into the output; another one is buffered until its length is known, and one that is
/// compressed is buffered too. One message at a time.
/// </summary>
sealed class FrameWriter(int? maxMessageBytes) : SerializationContext, IBufferWriter<byte>
{
    public const int PrefixBytes = 5;

    /// <summary>A big message is written in blocks of this size rather than in those of the output.</summary>
    const int MaxBlockBytes = 32 * 1024;

    /// <summary>A buffer that grew over this for one big message is not kept for the small ones after it.</summary>
    const int MaxKeptBufferBytes = 256 * 1024;

    IBufferWriter<byte>? _output;
    ArrayBufferWriter<byte>? _unsized;
    ArrayBufferWriter<byte>? _kept;
    MessageCompressor? _compressor;
    int? _declaredBytes;
    int _writtenBytes;
    bool _isWriting;
    bool _complete;

    /// <summary>A serializer failed inside a frame: what went out cannot be followed by anything sensible.</summary>
    public bool IsBroken { get; private set; }

    /// <param name="message">The message.</param>
    /// <param name="serializer">Of the message's type.</param>
    /// <param name="output">Where the frame goes.</param>
    /// <param name="compressor">Null: the message goes as it is.</param>
    public void Write<T>(
        T message,
        Action<T, SerializationContext> serializer,
        IBufferWriter<byte> output,
        MessageCompressor? compressor = null)
    {
        _output = output;
        _compressor = compressor;
        _unsized = compressor?.StartMessage();
        _declaredBytes = null;
        _writtenBytes = 0;
        _isWriting = false;
        _complete = false;
        try
        {
            serializer(message, this);
            if (!_complete)
                throw new InvalidOperationException("The serializer did not complete its message.");
        }
        catch
        {
            IsBroken = _complete || (_declaredBytes is not null && _compressor is null);
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
        ThrowIfComplete();
        if (_declaredBytes is not null || _isWriting)
            throw new InvalidOperationException("The length of a message is set once, before its writer is asked for.");
        ThrowIfTooBig(payloadLength);
        _declaredBytes = payloadLength;
        if (_compressor is null)
            WritePrefix(payloadLength);
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        ThrowIfComplete();
        _isWriting = true;
        if (_declaredBytes is not null && _compressor is null)
            return this;
        return _unsized ??= Kept();
    }

    public override void Complete()
    {
        ThrowIfComplete();
        var writtenBytes = _unsized?.WrittenCount ?? _writtenBytes;
        if (_declaredBytes is not null && writtenBytes != _declaredBytes)
        {
            throw new InvalidOperationException(
                $"The serializer wrote {writtenBytes} bytes after it had declared {_declaredBytes}.");
        }

        if (_unsized is not null)
            WriteWhole(_unsized.WrittenSpan);
        else if (_declaredBytes is null)
            WriteWhole(default);
        _complete = true;
    }

    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        ThrowIfComplete();
        if (_declaredBytes is not null || _isWriting)
            throw new InvalidOperationException("A message is either one array or written in pieces, not both.");
        if (_compressor is not null)
            _unsized!.Write(payload);
        WriteWhole(payload);
        _complete = true;
    }

    public void Advance(int count)
    {
        if (count > _declaredBytes - _writtenBytes)
            throw new InvalidOperationException($"The serializer wrote more than the declared {_declaredBytes} bytes.");
        _output!.Advance(count);
        _writtenBytes += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => _output!.GetMemory(BlockBytes(sizeHint));

    public Span<byte> GetSpan(int sizeHint = 0) => _output!.GetSpan(BlockBytes(sizeHint));

    int BlockBytes(int sizeHint) =>
        Math.Max(sizeHint, Math.Min(MaxBlockBytes, _declaredBytes.GetValueOrDefault() - _writtenBytes));

    ArrayBufferWriter<byte> Kept()
    {
        if (_kept is null || _kept.Capacity > MaxKeptBufferBytes)
            _kept = new ArrayBufferWriter<byte>();
        else
            _kept.ResetWrittenCount();
        return _kept;
    }

    // The limit is for messages, not for what compression makes of them.
    void WriteWhole(ReadOnlySpan<byte> payload)
    {
        ThrowIfTooBig(payload.Length);
        if (_compressor is not null)
            payload = _compressor.Compress();
        WritePrefix(payload.Length);
        _output!.Write(payload);
    }

    void WritePrefix(int payloadBytes)
    {
        // An array grows once, to what the whole frame needs; pipes take any number of blocks.
        var prefix = _output is ArrayBufferWriter<byte>
            ? _output.GetSpan(PrefixBytes + payloadBytes)
            : _output!.GetSpan(PrefixBytes);
        prefix[0] = (byte)(_compressor is null ? 0 : 1);
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], payloadBytes);
        _output.Advance(PrefixBytes);
    }

    void ThrowIfTooBig(int payloadBytes)
    {
        if (payloadBytes > maxMessageBytes)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"A message of {payloadBytes} bytes is over the limit of {maxMessageBytes} for sending."));
        }
    }

    void ThrowIfComplete()
    {
        if (_complete)
            throw new InvalidOperationException("The serializer completed its message twice.");
    }
}
