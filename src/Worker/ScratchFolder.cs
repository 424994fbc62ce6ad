using Hexcast.Platform.Errors;
using Hexcast.Platform.ObjectStore;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;

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
            if (left is DirectoryInfo { LinkTarget: null })
            {
                UntrustedFolder.Delete(left.FullName);
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
            return new AttemptScratch(Path.Combine(Folder, attempt.ToString()));
        }
        catch (IOException full) when (StorageFaults.IsFull(full))
        {
            throw Full(full);
        }
    }
}

/// <summary>
/// {attempt}/       what the worker writes itself: no tool sees it
/// {attempt}/out/   what tools write, and nobody else
/// </summary>
internal sealed class AttemptScratch : IDisposable
{
    private readonly string path;

    public AttemptScratch(string path)
    {
        this.path = path;
        OutputFolder = Directory.CreateDirectory(Path.Combine(path, "out")).FullName;
    }

    public string OutputFolder { get; }

    public string OwnFile(string name) => Path.Combine(path, name);

    /// <summary>Untrusted: see <see cref="Tools.UntrustedFile"/>.</summary>
    public string Output(string name) => Path.Combine(OutputFolder, name);

    public void Dispose() => UntrustedFolder.Delete(path);
}
