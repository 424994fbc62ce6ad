using System.Buffers;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>Decompresses one message at a time, never further than the limit: a small one may turn out huge.</summary>
sealed class MessageDecompressor(ICompressionProvider provider, int? maxMessageBytes)
{
    const int MinChunkBytes = 4 * 1024;
    const int MaxChunkBytes = 1024 * 1024;

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED over the limit; INTERNAL for broken bytes.</exception>
    public ReadOnlyMemory<byte> Decompress(ReadOnlySequence<byte> payload)
    {
        var plain = new ArrayBufferWriter<byte>();
        try
        {
            using var input = new SequenceStream(payload);
            using var decompressing = provider.CreateDecompressionStream(input);
            while (true)
            {
                var chunk = plain.GetSpan(Math.Clamp(plain.WrittenCount, MinChunkBytes, MaxChunkBytes));
                var count = decompressing.Read(chunk);
                if (count == 0)
                    return plain.WrittenMemory;
                if (count > (maxMessageBytes ?? Array.MaxLength) - plain.WrittenCount)
                {
                    throw new RpcException(new Status(
                        StatusCode.ResourceExhausted,
                        $"A message is over the limit of {maxMessageBytes} bytes for receiving once decompressed."));
                }

                plain.Advance(count);
            }
        }
        catch (Exception e) when (e is not RpcException)
        {
            // Boundary: a provider may throw anything on bytes that the peer chose.
            throw new RpcException(new Status(
                StatusCode.Internal, $"A message could not be decompressed as {provider.EncodingName}.", e));
        }
    }

    /// <summary>Lets a decompressor, which wants a stream, read what came.</summary>
    sealed class SequenceStream(ReadOnlySequence<byte> bytes) : ReadOnlyStream
    {
        ReadOnlySequence<byte> _left = bytes;

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(_left.Length, buffer.Length);
            _left.Slice(0, count).CopyTo(buffer);
            _left = _left.Slice(count);
            return count;
        }
    }
}
