using Hexcast.Platform.ObjectStore;

namespace Hexcast.Worker;

/// <summary>Where attempts keep files while they run; nothing in it outlives them or a restart.</summary>
internal sealed class ScratchFolder(string folder)
{
    public string Folder { get; } = folder;

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
    public AttemptScratch Open(AttemptKey attempt)
    {
        // The names come over the network: they must be names, not paths.
        ObjectKey.Check(attempt.ToString());
        return new AttemptScratch(Directory.CreateDirectory(Path.Combine(Folder, attempt.ToString())).FullName);
    }
}

internal sealed class AttemptScratch(string path) : IDisposable
{
    public string Path { get; } = path;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
