using Hexcast.Platform.ObjectStore;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>A directory of a real file system. Holds its lock file: two processes never write one log.</summary>
internal sealed class FileDisk : IDisk, IDisposable
{
    private const string LockName = "lock";

    private readonly string _directory;
    private readonly FileStream _lock;

    public FileDisk(string directory)
    {
        _directory = Path.GetFullPath(directory);
        DurableFiles.CreateDirectory(_directory);
        try
        {
            _lock = new FileStream(
                Path.Combine(_directory, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new CoordinatorDataException(
                $"{_directory} cannot be locked: another Hexcast process uses it. Stop that one, or start this one " +
                "with another data directory (--data).", exception);
        }
    }

    public IReadOnlyList<string> List() =>
    [
        .. Directory.EnumerateFiles(_directory).Select(path => Path.GetFileName(path)).Where(name => name != LockName),
    ];

    public IDiskFile Open(string name) => new RealFile(PathOf(name), FileMode.Open);

    public IDiskFile Create(string name) => new RealFile(PathOf(name), FileMode.Create);

    public void Rename(string from, string to) => File.Move(PathOf(from), PathOf(to), overwrite: true);

    public void Delete(string name) => File.Delete(PathOf(name));

    public void SyncDirectory() => DurableFiles.SyncDirectory(_directory);

    public void Dispose() => _lock.Dispose();

    private string PathOf(string name) => Path.Combine(_directory, name);

    private sealed class RealFile(string path, FileMode mode) : IDiskFile
    {
        private readonly SafeFileHandle _handle =
            File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.Read);

        public long Length => RandomAccess.GetLength(_handle);

        public byte[] ReadAll() => Read(0, (int)Length);

        public byte[] Read(long offset, int length)
        {
            var bytes = new byte[length];
            var read = 0;
            while (read < bytes.Length)
            {
                var count = RandomAccess.Read(_handle, bytes.AsSpan(read), offset + read);
                if (count == 0)
                {
                    throw new IOException($"{path} became shorter while it was read.");
                }
                read += count;
            }
            return bytes;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_handle, bytes, offset);

        public void Truncate(long length) => RandomAccess.SetLength(_handle, length);

        public void Sync() => DurableFiles.Sync(_handle);

        public void Dispose() => _handle.Dispose();
    }
}
