using Hexcast.Platform.Errors;
using Hexcast.Platform.ObjectStore;
using Hexcast.Worker.Attempts;

namespace Hexcast.Worker;

/// <summary>Where attempts keep files while they run; nothing in it outlives them or a restart.</summary>
internal sealed class ScratchFolder(string folder)
{
    public string Folder { get; } = folder;

    public static AttemptFailedException Full(IOException cause) =>
        new(FailureCodes.ScratchFull, FailureCodes.ScratchFullMessage, inner: cause);

    /// <summary>Whatever lies here belongs to attempts of a process that is gone.</summary>
    public void Clear()
    {
        foreach (var left in new DirectoryInfo(Folder).EnumerateFileSystemInfos())
        {
            if (left is DirectoryInfo directory)
            {
                directory.Delete(recursive: true);
            }
            else
            {
                left.Delete();
            }
        }
    }

    /// <summary>An empty folder of the attempt's own, gone when it is disposed.</summary>
    /// <exception cref="AttemptFailedException">scratch_full.</exception>
    public AttemptScratch Open(AttemptKey attempt)
    {
        // The names come over the network: they must be names, not paths.
        ObjectKey.Check(attempt.ToString());
        try
        {
            return new AttemptScratch(Directory.CreateDirectory(Path.Combine(Folder, attempt.ToString())).FullName);
        }
        catch (IOException full) when (StorageFaults.IsFull(full))
        {
            throw Full(full);
        }
    }
}

internal sealed class AttemptScratch(string path) : IDisposable
{
    public string Path { get; } = path;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
