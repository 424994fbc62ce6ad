using System.Runtime.CompilerServices;

namespace Hexcast.Platform.ObjectStore;

/// <summary>
/// Objects as files under one folder, which several nodes may share. Writes go to ".incoming/{node}" and are renamed
/// after fsync; the folder's own entry is synced too, so a committed object is there after power loss.
/// </summary>
public sealed class LocalObjectStore : IObjectStore
{
    private const int PlaceAttempts = 10;
    private const int CopyBufferBytes = 1024 * 1024;

    private readonly string root;
    private readonly string incoming;
    // Held while an object gets its name and while objects and their folders go: a folder that was just made for an
    // object must not vanish before the object is in it, and is synced in its parent before anybody relies on it.
    // Another node's deletion does not hold it: a folder that vanishes then is made again.
    private readonly Lock folders = new();
    private readonly TimeProvider clock;
    private long nextName;

    /// <param name="node">No other process on this folder has the name.</param>
    public LocalObjectStore(string root, string node, TimeProvider? clock = null)
    {
        this.clock = clock ?? TimeProvider.System;
        this.root = Path.GetFullPath(root);
        incoming = Path.Combine(this.root, ".incoming", node);
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
        return Task.FromResult<ObjectWriter>(new LocalObjectWriter(this, temporary, path, clock));
    }

    public async Task AdoptFileAsync(string key, string path, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var target = PathOf(key);
        var started = clock.GetTimestamp();
        var length = new FileInfo(path).Length;
        DurableFiles.SyncFile(path);
        if (!TryPlace(path, target))
        {
            // The objects are on another file system, as those that nodes share are.
            await CopyAsync(key, path, cancel);
            File.Delete(path);
        }

        ObjectStoreTelemetry.Note("adopt", clock.GetElapsedTime(started));
        ObjectStoreTelemetry.NoteWritten(length);
    }

    private async Task CopyAsync(string key, string path, CancellationToken cancel)
    {
        await using var source = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        await using var copy = await CreateAsync(key, cancel);
        var buffer = new byte[CopyBufferBytes];
        int read;
        while ((read = await source.ReadAsync(buffer, cancel)) > 0)
        {
            await copy.WriteAsync(buffer.AsMemory(0, read), cancel);
        }

        await copy.CommitAsync(cancel);
    }

    public Task<Stream?> OpenReadAsync(string key, long offset, CancellationToken cancel)
    {
        try
        {
            var file = new FileStream(
                PathOf(key), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete,
                bufferSize: 0, useAsync: true);
            file.Position = offset;
            ObjectStoreTelemetry.NoteOpened();
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
        var started = clock.GetTimestamp();
        lock (folders)
        {
            if (File.Exists(path))
            {
                File.Delete(path);
                RemoveEmptyFoldersUnderLock(Path.GetDirectoryName(path)!);
            }
        }

        ObjectStoreTelemetry.Note("delete", clock.GetElapsedTime(started));
        return Task.CompletedTask;
    }

    public Task DeletePrefixAsync(string prefix, CancellationToken cancel)
    {
        var folder = PathOf(prefix.TrimEnd('/'));
        var started = clock.GetTimestamp();
        lock (folders)
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
                RemoveEmptyFoldersUnderLock(Path.GetDirectoryName(folder)!);
            }
        }

        ObjectStoreTelemetry.Note("delete_prefix", clock.GetElapsedTime(started));
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

    /// <summary>Gives a synced file its place, and the folders that lead to it.</summary>
    internal void Place(string source, string target)
    {
        if (!TryPlace(source, target))
        {
            throw new IOException($"{incoming} is on another file system than its parent");
        }
    }

    private bool TryPlace(string source, string target)
    {
        lock (folders)
        {
            for (var attempt = 1; ; attempt++)
            {
                var folder = Path.GetDirectoryName(target)!;
                try
                {
                    DurableFiles.CreateDirectory(folder);
                    return DurableFiles.TryMove(source, target);
                }
                catch (IOException) when (attempt < PlaceAttempts && File.Exists(source) && !Directory.Exists(folder))
                {
                    // Another node found it empty and deleted it.
                }
            }
        }
    }

    private string PathOf(string key)
    {
        ObjectKey.Check(key);
        return Path.Combine(root, key);
    }

    // The folders of the top level stay: every object's name begins with one of a few.
    private void RemoveEmptyFoldersUnderLock(string folder)
    {
        try
        {
            while (Path.GetDirectoryName(folder)!.Length > root.Length && Directory.Exists(folder) &&
                !Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
                folder = Path.GetDirectoryName(folder)!;
            }
        }
        catch (IOException)
        {
            // Another node was quicker: it has put something into it, or has deleted it.
        }
    }
}
