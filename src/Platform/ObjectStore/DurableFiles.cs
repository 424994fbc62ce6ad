using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Platform.ObjectStore;

/// <summary>
/// File operations whose effect survives power loss: a rename or a new entry lasts only once its folder is synced.
/// </summary>
public static partial class DurableFiles
{
    public static void SyncFile(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Sync(handle);
    }

    /// <summary>All that was written through the handle is on the disk.</summary>
    /// <exception cref="IOException">It may not be: whoever wrote must not say that it is.</exception>
    public static void Sync(SafeFileHandle file)
    {
        // Not the runtime's: .NET 10's takes a failed fsync for a good one.
        while (FSync(file) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                throw new IOException($"fsync failed: {Marshal.GetPInvokeErrorMessage(error)}", error);
            }
        }
    }

    /// <inheritdoc cref="Sync(SafeFileHandle)"/>
    public static void Sync(FileStream file)
    {
        file.Flush();
        Sync(file.SafeFileHandle);
    }

    /// <exception cref="DirectoryNotFoundException">The file or the target's folder is not there.</exception>
    public static void Move(string source, string target)
    {
        if (!TryMove(source, target))
        {
            throw new IOException($"{source} and {target} are on different file systems");
        }
    }

    /// <summary>False if the two are on different file systems: what is not one step is not durable either.</summary>
    public static bool TryMove(string source, string target)
    {
        // File.Move would copy then.
        if (Rename(source, target) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error switch
            {
                OtherFileSystem => false,
                NotThere => throw new DirectoryNotFoundException($"{source} or the folder of {target} is not there"),
                _ => throw new IOException(
                    $"{source} cannot be renamed to {target}: {Marshal.GetPInvokeErrorMessage(error)}", error),
            };
        }

        SyncDirectory(Path.GetDirectoryName(target)!);
        return true;
    }

    /// <summary>Creates the folder and its missing parents, each entry synced in its parent.</summary>
    public static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        var parent = Path.GetDirectoryName(Path.GetFullPath(path));
        if (parent is not null)
        {
            CreateDirectory(parent);
            Directory.CreateDirectory(path);
            SyncDirectory(parent);
        }
    }

    /// <summary>Replaces a small file as a whole: old content or new, never a mixture.</summary>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            file.Write(bytes);
            Sync(file);
        }

        Move(temporary, path);
    }

    public static void SyncDirectory(string path)
    {
        // .NET opens no folders; the system call does.
        using var handle = new SafeFileHandle(Open(path, DirectoryReadOnly), ownsHandle: true);
        if (handle.IsInvalid)
        {
            throw new IOException($"the folder {path} cannot be opened", Marshal.GetLastPInvokeError());
        }

        Sync(handle);
    }

    // O_RDONLY and O_CLOEXEC, which have the same numbers on every architecture; O_DIRECTORY has not.
    private const int DirectoryReadOnly = 0x80000;

    /// <summary>ENOENT, EINTR and EXDEV.</summary>
    private const int NotThere = 2, Interrupted = 4, OtherFileSystem = 18;

    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Rename(string source, string target);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle handle);
}
