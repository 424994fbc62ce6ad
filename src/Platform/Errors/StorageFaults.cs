namespace Hexcast.Platform.Errors;

/// <summary>Tells a full disk from other I/O errors, so that it can be named to whoever can make space.</summary>
public static class StorageFaults
{
    public const string FullMessage = "The disk is full. Make space under the data folder, then try again.";

    // errno values as .NET carries them in HResult on Linux: ENOSPC, EDQUOT and EFBIG (a file-size limit).
    private const int NoSpace = 28, QuotaExceeded = 122, FileTooBig = 27;

    public static bool IsFull(IOException failure) =>
        (failure.HResult & 0xffff) is NoSpace or QuotaExceeded or FileTooBig
        || (failure.InnerException is IOException inner && IsFull(inner));
}
