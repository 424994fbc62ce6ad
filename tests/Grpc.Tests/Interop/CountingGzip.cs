using System.IO.Compression;
using Grpc.Net.Compression;

namespace Hexcast.Grpc.Tests.Interop;

/// <summary>gzip that counts the messages: a message itself does not say how it travelled.</summary>
sealed class CountingGzip : ICompressionProvider
{
    readonly GzipCompressionProvider _gzip = new(CompressionLevel.Fastest);
    int _compressed;
    int _decompressed;

    public string EncodingName => _gzip.EncodingName;

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel)
    {
        Interlocked.Increment(ref _compressed);
        return _gzip.CreateCompressionStream(stream, compressionLevel);
    }

    public Stream CreateDecompressionStream(Stream stream)
    {
        Interlocked.Increment(ref _decompressed);
        return _gzip.CreateDecompressionStream(stream);
    }

    /// <summary>Since the last look.</summary>
    public int TakeCompressed() => Interlocked.Exchange(ref _compressed, 0);

    /// <summary>Since the last look.</summary>
    public int TakeDecompressed() => Interlocked.Exchange(ref _decompressed, 0);
}
