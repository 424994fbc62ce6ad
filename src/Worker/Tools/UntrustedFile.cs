using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hexcast.Worker.Attempts;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Worker.Tools;

/// <summary>
/// Opens what a tool has written. A tool that a source has taken over can leave a link in a file's place (to what this
/// process may read and the tool may not) or a pipe (whose opening never ends): neither is followed or waited for.
/// </summary>
internal static partial class UntrustedFile
{
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int NoSuchFile = 2;
    private const int TooManyLinks = 40;

    // statx(2), unlike stat(2), has one layout on every processor.
    private const int EmptyPath = 0x1000;
    private const uint TypeWanted = 1;
    private const int StatusBytes = 256;
    private const int ModeOffset = 28;
    private const int TypeBits = 0xF000;
    private const int RegularFile = 0x8000;

    private static readonly int NoFollow =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>For reading; null when there is nothing of that name.</summary>
    /// <exception cref="AttemptFailedException">It is a link, a pipe, a folder or a device.</exception>
    public static SafeFileHandle? Open(string path)
    {
        var file = new SafeFileHandle(OpenFile(path, NoFollow | NonBlocking | CloseOnExec), ownsHandle: true);
        if (file.IsInvalid)
        {
            var error = Marshal.GetLastPInvokeError();
            file.Dispose();
            return error switch
            {
                NoSuchFile => null,
                TooManyLinks => throw NotAFile(path),
                _ => throw new IOException($"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}.", error),
            };
        }

        if (!IsRegular(file))
        {
            file.Dispose();
            throw NotAFile(path);
        }

        return file;
    }

    /// <summary>The whole file; empty when there is none.</summary>
    /// <exception cref="AttemptFailedException">It is no file, or larger than the limit.</exception>
    public static async Task<byte[]> ReadAsync(string path, int limitBytes, CancellationToken cancel)
    {
        using var file = Open(path);
        if (file is null)
        {
            return [];
        }

        var length = RandomAccess.GetLength(file);
        if (length > limitBytes)
        {
            throw new AttemptFailedException(
                FailureCodes.ToolOutputTooLarge, $"{Path.GetFileName(path)} came out over {limitBytes} bytes.");
        }

        var bytes = new byte[length];
        var read = 0;
        while (await RandomAccess.ReadAsync(file, bytes.AsMemory(read), read, cancel) is > 0 and var more)
        {
            read += more;
        }

        return bytes[..read];
    }

    private static bool IsRegular(SafeFileHandle file)
    {
        var status = new byte[StatusBytes];
        return Status(file, "", EmptyPath, TypeWanted, status) == 0
            && (BinaryPrimitives.ReadUInt16LittleEndian(status.AsSpan(ModeOffset)) & TypeBits) == RegularFile;
    }

    private static AttemptFailedException NotAFile(string path) => new(
        FailureCodes.ToolOutputNotAFile,
        $"The tool left {Path.GetFileName(path)} as something other than a file: the source may be an attack.",
        permanent: true);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Status(SafeFileHandle folder, string path, int flags, uint mask, [Out] byte[] status);
}
