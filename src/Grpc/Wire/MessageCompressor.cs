using System.Buffers;
using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>Compresses one message at a time; each is a whole of its own, as the protocol wants it.</summary>
sealed class MessageCompressor(ICompressionProvider provider, CompressionLevel? level)
{
    /// <summary>A buffer that grew over this for one big message is not kept for the small ones after it.</summary>
    const int MaxKeptBufferBytes = 256 * 1024;

    ArrayBufferWriter<byte> _plain = new();
    ArrayBufferWriter<byte> _packed = new();

    /// <summary>An empty buffer for the next message.</summary>
    public ArrayBufferWriter<byte> StartMessage() => Emptied(ref _plain);

    /// <summary>What was written since <see cref="StartMessage"/>, compressed; valid until the next one.</summary>
    public ReadOnlySpan<byte> Compress()
    {
        var packed = Emptied(ref _packed);
        using (var output = new BufferStream(packed))
        using (var compressing = provider.CreateCompressionStream(output, level))
            compressing.Write(_plain.WrittenSpan);
        return packed.WrittenSpan;
    }

    static ArrayBufferWriter<byte> Emptied(ref ArrayBufferWriter<byte> buffer)
    {
        if (buffer.Capacity > MaxKeptBufferBytes)
            buffer = new ArrayBufferWriter<byte>();
        else
            buffer.ResetWrittenCount();
        return buffer;
    }

    /// <summary>Lets a compressor, which wants a stream, write to a buffer.</summary>
    sealed class BufferStream(ArrayBufferWriter<byte> buffer) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => buffer.WrittenCount;

        public override long Position
        {
            get => buffer.WrittenCount;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> bytes) => buffer.Write(bytes);

        public override void Write(byte[] bytes, int offset, int count) => buffer.Write(bytes.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] bytes, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
