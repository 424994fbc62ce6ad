using System.IO.Compression;

namespace Grpc.Net.Compression;

/// <summary>One way to make messages smaller, under the name that it has in grpc-encoding.</summary>
public interface ICompressionProvider
{
    string EncodingName { get; }

    /// <summary>What is written to the result goes to the stream, compressed; disposing it leaves that open.</summary>
    Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel);

    Stream CreateDecompressionStream(Stream stream);
}

public sealed class GzipCompressionProvider(CompressionLevel defaultCompressionLevel) : ICompressionProvider
{
    public string EncodingName => "gzip";

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new GZipStream(stream, compressionLevel ?? defaultCompressionLevel, leaveOpen: true);

    public Stream CreateDecompressionStream(Stream stream) =>
        new WholeGzipStream(stream);
}
