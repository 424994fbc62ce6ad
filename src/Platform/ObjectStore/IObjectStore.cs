namespace Hexcast.Platform.ObjectStore;

/// <summary>What the store knows of an object.</summary>
public sealed record ObjectInfo(string Key, long Length);

/// <summary>
/// Immutable media objects by key ("media/…/h264-720.mp4"). An object appears whole or not at all, and what
/// <see cref="ObjectWriter.CommitAsync"/> has answered survives power loss (I1).
/// </summary>
public interface IObjectStore
{
    /// <summary>Starts an object; nothing is visible under the key until it is committed.</summary>
    Task<ObjectWriter> CreateAsync(string key, CancellationToken cancel);

    /// <summary>Makes a finished file of the same file system the object, without copying its bytes.</summary>
    Task AdoptFileAsync(string key, string path, CancellationToken cancel);

    /// <summary>The object's bytes from <paramref name="offset"/> on; null when there is no such object.</summary>
    Task<Stream?> OpenReadAsync(string key, long offset, CancellationToken cancel);

    Task<ObjectInfo?> StatAsync(string key, CancellationToken cancel);

    /// <summary>Removes the object; no error when it is not there.</summary>
    Task DeleteAsync(string key, CancellationToken cancel);

    /// <summary>Removes every object whose key starts with the prefix, which ends in a slash.</summary>
    Task DeletePrefixAsync(string prefix, CancellationToken cancel);

    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancel);

    /// <summary>A readable path of the object on this machine; null where the store is elsewhere.</summary>
    string? LocalPath(string key);
}

/// <summary>An object being written. Disposing it without a commit leaves nothing behind.</summary>
public abstract class ObjectWriter : IAsyncDisposable
{
    /// <summary>Bytes written so far.</summary>
    public abstract long Length { get; }

    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel);

    /// <summary>Makes the object durable and visible; answers its SHA-256.</summary>
    public abstract Task<byte[]> CommitAsync(CancellationToken cancel);

    public abstract ValueTask DisposeAsync();
}
