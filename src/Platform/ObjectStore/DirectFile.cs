using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Platform.ObjectStore;

/// <summary>
/// Writes past the page cache (O_DIRECT): from the caller's memory to the disk, without a copy. For bytes that are
/// written once and in bulk. What is written so is not durable before an fsync either.
/// </summary>
public static partial class DirectFile
{
    /// <summary>Offset, length and address of each write are multiples of it: a block of any common disk.</summary>
    public const int AlignmentBytes = 4096;

    private const int WriteOnly = 0x1, CloseOnExec = 0x80000;

    /// <summary>One more handle of a file that exists; null where file system or machine have no such way.</summary>
    public static SafeFileHandle? TryOpen(string path)
    {
        // open(2): the one flag whose value differs between machines.
        int? direct = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 0x4000,
            Architecture.Arm64 => 0x10000,
            _ => null,
        };
        if (direct is not { } flag)
        {
            return null;
        }

        var handle = new SafeFileHandle(Open(path, WriteOnly | CloseOnExec | flag), ownsHandle: true);
        if (!handle.IsInvalid)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint Open(string path, int flags);
}
