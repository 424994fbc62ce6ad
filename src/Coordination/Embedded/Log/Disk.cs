namespace Hexcast.Coordination.Embedded.Log;

/// <summary>
/// One directory of files, as the log needs it: the seam at which tests and the simulator tear writes, flip bits and
/// fail fsync. An <see cref="IOException"/> from it ends the process.
/// </summary>
internal interface IDisk
{
    /// <summary>Names, without order.</summary>
    IReadOnlyList<string> List();

    IDiskFile Open(string name);

    /// <summary>A new, empty file; what had this name is gone.</summary>
    IDiskFile Create(string name);

    /// <summary>Atomic; replaces the target. Durable after <see cref="SyncDirectory"/>.</summary>
    void Rename(string from, string to);

    void Delete(string name);

    /// <summary>After it, creations, renames and deletions survive a loss of power.</summary>
    void SyncDirectory();
}

internal interface IDiskFile : IDisposable
{
    long Length { get; }

    byte[] ReadAll();

    /// <summary>Bytes that are there: the caller knows the length.</summary>
    byte[] Read(long offset, int length);

    void Write(long offset, ReadOnlySpan<byte> bytes);

    void Truncate(long length);

    /// <summary>After it, the bytes and the length survive a loss of power.</summary>
    void Sync();
}
