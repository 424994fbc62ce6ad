using Hexcast.Platform.ObjectStore;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Upload;

/// <summary>
/// The part of an upload while a body is written into it. Whole blocks go past the page cache: to copy a film into it
/// costs more than to hash it, and pushes out what viewers are watching. The ends of a stretch that are no whole block
/// go through the cache, and so does everything where the file system knows no other way.
/// </summary>
internal sealed class PartFile(string path) : IDisposable
{
    /// <summary>A shorter run of whole blocks is not worth a system call of its own.</summary>
    private const int LeastDirectBytes = 64 << 10;

    private SafeFileHandle? direct;
    private bool cachedOnly;

    public SafeFileHandle Handle { get; } = File.OpenHandle(
        path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);

    /// <param name="stretch">Lies in memory as in the file: both starts leave the same rest by a block.</param>
    /// <param name="offset">In the file.</param>
    public void Write(ReadOnlySpan<byte> stretch, long offset)
    {
        var head = (int)Math.Min(stretch.Length, -offset & (DirectFile.AlignmentBytes - 1));
        var blocks = (stretch.Length - head) & -DirectFile.AlignmentBytes;
        if (blocks < LeastDirectBytes || !TryWriteBlocks(stretch.Slice(head, blocks), offset + head))
        {
            RandomAccess.Write(Handle, stretch, offset);
            return;
        }

        if (head > 0)
        {
            RandomAccess.Write(Handle, stretch[..head], offset);
        }

        if (head + blocks < stretch.Length)
        {
            RandomAccess.Write(Handle, stretch[(head + blocks)..], offset + head + blocks);
        }
    }

    public void Sync() => DurableFiles.Sync(Handle);

    public void Dispose()
    {
        direct?.Dispose();
        Handle.Dispose();
    }

    private bool TryWriteBlocks(ReadOnlySpan<byte> blocks, long offset)
    {
        if (cachedOnly)
        {
            return false;
        }

        direct ??= DirectFile.TryOpen(path);
        try
        {
            if (direct is not null)
            {
                RandomAccess.Write(direct, blocks, offset);
                return true;
            }
        }
        catch (IOException)
        {
            // Blocks of another size than ours, or a disk in trouble: then the other way says so, of the same bytes.
        }

        cachedOnly = true;
        return false;
    }
}
