using System.Security.Cryptography;

namespace Hexcast.Platform.ObjectStore;

/// <summary>An object in a file of this node until it is committed, which sends it.</summary>
internal sealed class GatheredObject(NodeObjectStore store, string key, string path) : ObjectWriter
{
    private readonly FileStream file = new(
        path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0, useAsync: true);

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long length;

    public override long Length => length;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await file.WriteAsync(bytes, cancel);
        hash.AppendData(bytes.Span);
        length += bytes.Length;
    }

    public override async Task<byte[]> CommitAsync(CancellationToken cancel)
    {
        await file.DisposeAsync();
        var sha256 = hash.GetHashAndReset();
        await store.PutAsync(key, path, sha256, cancel);
        return sha256;
    }

    public override async ValueTask DisposeAsync()
    {
        await file.DisposeAsync();
        hash.Dispose();
        File.Delete(path);
    }
}
