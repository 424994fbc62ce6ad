using System.Runtime.CompilerServices;

namespace Hexcast.Platform.ObjectStore;

/// <summary>
/// Objects as files under one folder. Writes go to ".incoming" and are renamed after fsync; the folder's own entry is
/// synced too, so a committed object is there after power loss.
/// </summary>
public sealed class LocalObjectStore : IObjectStore
{
    private readonly string root;
    private readonly string incoming;
    private long nextName;

    public LocalObjectStore(string root)
    {
        this.root = Path.GetFullPath(root);
        incoming = Path.Combine(this.root, ".incoming");
        // What a crashed process was writing has no name yet and never gets one.
        if (Directory.Exists(incoming))
        {
            Directory.Delete(incoming, recursive: true);
        }

        DurableFiles.CreateDirectory(incoming);
    }

    public Task<ObjectWriter> CreateAsync(string key, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var path = PathOf(key);
        var temporary = Path.Combine(incoming, Interlocked.Increment(ref nextName).ToString());
        return Task.FromResult<ObjectWriter>(new LocalObjectWriter(temporary, path));
    }

    public Task AdoptFileAsync(string key, string path, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var target = PathOf(key);
        DurableFiles.CreateDirectory(Path.GetDirectoryName(target)!);
        DurableFiles.SyncFile(path);
        DurableFiles.Move(path, target);
        return Task.CompletedTask;
    }

    public Task<Stream?> OpenReadAsync(string key, long offset, CancellationToken cancel)
    {
        try
        {
            var file = new FileStream(
                PathOf(key), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete,
                bufferSize: 0, useAsync: true);
            file.Position = offset;
            return Task.FromResult<Stream?>(file);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
    }

    public Task<ObjectInfo?> StatAsync(string key, CancellationToken cancel)
    {
        var file = new FileInfo(PathOf(key));
        return Task.FromResult(file.Exists ? new ObjectInfo(key, file.Length) : null);
    }

    public Task DeleteAsync(string key, CancellationToken cancel)
    {
        var path = PathOf(key);
        if (File.Exists(path))
        {
            File.Delete(path);
            RemoveEmptyFolders(Path.GetDirectoryName(path)!);
        }

        return Task.CompletedTask;
    }

    public Task DeletePrefixAsync(string prefix, CancellationToken cancel)
    {
        var folder = PathOf(prefix.TrimEnd('/'));
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
            RemoveEmptyFolders(Path.GetDirectoryName(folder)!);
        }

        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        var folder = prefix.Length == 0 ? root : PathOf(prefix.TrimEnd('/'));
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            cancel.ThrowIfCancellationRequested();
            var key = Path.GetRelativePath(root, file.FullName);
            if (key[0] != '.')
            {
                yield return new ObjectInfo(key, file.Length);
            }
        }
    }

    public string? LocalPath(string key) => PathOf(key);

    private string PathOf(string key)
    {
        ObjectKey.Check(key);
        return Path.Combine(root, key);
    }

    // A writer may be creating in the folder right now: then it is not empty, or the writer makes it again.
    private void RemoveEmptyFolders(string folder)
    {
        while (folder.Length > root.Length && Directory.Exists(folder) &&
            !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                return;
            }

            folder = Path.GetDirectoryName(folder)!;
        }
    }
}
