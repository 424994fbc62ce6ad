using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Wire;

namespace Grpc.Net.Compression;

/// <summary>
/// Decompresses gzip, and refuses what ends too early: .NET's own stream takes it for a shorter message. The last four
/// bytes of a gzip member are the size of what it holds (RFC 1952 section 2.3.1). A message is one member: the RFC
/// allows several in a row, but no gRPC library makes them, and .NET's stream does not tell where one ends.
/// </summary>
sealed class WholeGzipStream : ReadOnlyStream
{
    const int MinBytes = 18;

    readonly TailStream _input;
    readonly GZipStream _gzip;
    uint _plainBytes;

    public WholeGzipStream(Stream input)
    {
        _input = new TailStream(input);
        _gzip = new GZipStream(_input, CompressionMode.Decompress, leaveOpen: true);
    }

    public override int Read(Span<byte> buffer)
    {
        var count = _gzip.Read(buffer);
        _plainBytes = unchecked(_plainBytes + (uint)count);
        if (count == 0 && buffer.Length > 0 && (_input.ReadBytes < MinBytes || _input.Tail != _plainBytes))
            throw new InvalidDataException("The gzip data ends too early, or has several members.");
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _gzip.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Remembers the last four bytes that were read through it, as the number that they are.</summary>
    sealed class TailStream(Stream input) : ReadOnlyStream
    {
        readonly byte[] _tail = new byte[sizeof(uint)];

        public long ReadBytes { get; private set; }

        public uint Tail => BinaryPrimitives.ReadUInt32LittleEndian(_tail);

        public override int Read(Span<byte> buffer)
        {
            var count = input.Read(buffer);
            ReadBytes += count;
            var kept = Math.Min(count, _tail.Length);
            _tail.AsSpan(kept).CopyTo(_tail);
            buffer.Slice(count - kept, kept).CopyTo(_tail.AsSpan(_tail.Length - kept));
            return count;
        }
    }
}
