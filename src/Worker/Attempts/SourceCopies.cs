using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Worker.Attempts;

/// <summary>
/// Sources as files of this machine, which tools need. Where the store has none, a source is fetched once for all the
/// attempts that read it, and goes on where the store was lost in the middle.
/// </summary>
internal sealed class SourceCopies(IObjectStore store, ScratchFolder scratch, TimeProvider clock)
{
    /// <summary>Copies that nobody reads and that stay for the next task: those that were read last.</summary>
    private const int UnusedLimit = 2;

    private const int FetchAttempts = 8;
    private const int CopyBytes = 256 * 1024;
    private const string FolderName = "sources";

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    private readonly Lock turn = new();
    private readonly Dictionary<string, Copy> copies = new(StringComparer.Ordinal);
    private long lastName;

    private sealed class Copy(string path) : IDisposable
    {
        public string Path { get; } = path;

        public SemaphoreSlim Fetching { get; } = new(1, 1);

        public bool IsWhole { get; set; }

        public int Readers { get; set; }

        public long LastRead { get; set; }

        public void Dispose() => Fetching.Dispose();
    }

    /// <summary>The source's path, for as long as what is answered is not disposed of.</summary>
    /// <exception cref="AttemptFailedException">It is not there, or there is no space for it.</exception>
    public async Task<HeldSource> TakeAsync(string key, CancellationToken cancel)
    {
        if (store.LocalPath(key) is { } local)
        {
            return File.Exists(local) ? new HeldSource(local, () => { }) : throw Missing(key);
        }

        var copy = Enter(key);
        try
        {
            // Whoever waits here goes on with what another one has left.
            await copy.Fetching.WaitAsync(cancel);
            try
            {
                if (!copy.IsWhole)
                {
                    await FetchAsync(key, copy.Path, cancel);
                    copy.IsWhole = true;
                }
            }
            finally
            {
                copy.Fetching.Release();
            }

            return new HeldSource(copy.Path, () => Leave(copy));
        }
        catch (IOException full) when (StorageFaults.IsFull(full))
        {
            Leave(copy);
            throw ScratchFolder.Full(full);
        }
        catch
        {
            Leave(copy);
            throw;
        }
    }

    private async Task FetchAsync(string key, string path, CancellationToken cancel)
    {
        var length = (await store.StatAsync(key, cancel) ?? throw Missing(key)).Length;
        await using var file = new FileStream(
            path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0, useAsync: true);
        file.Position = file.Length;
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        for (var attempt = 1; file.Position < length && attempt <= FetchAttempts; attempt++)
        {
            try
            {
                await using var content = await store.OpenReadAsync(key, file.Position, cancel)
                    ?? throw Missing(key);
                await content.CopyToAsync(file, CopyBytes, cancel);
            }
            catch (IOException lost) when (!StorageFaults.IsFull(lost) && attempt < FetchAttempts)
            {
                await backoff.WaitAsync(cancel);
            }
        }

        if (file.Position != length)
        {
            throw new AttemptFailedException(
                FailureCodes.SourceUnreadable,
                $"The source {key} has {file.Position} bytes where its store says {length}.");
        }
    }

    private Copy Enter(string key)
    {
        lock (turn)
        {
            if (!copies.TryGetValue(key, out var copy))
            {
                var folder = Directory.CreateDirectory(Path.Combine(scratch.Folder, FolderName));
                copies.Add(key, copy = new Copy(Path.Combine(folder.FullName, $"{++lastName}")));
            }

            copy.Readers++;
            return copy;
        }
    }

    private void Leave(Copy left)
    {
        lock (turn)
        {
            left.Readers--;
            left.LastRead = clock.GetTimestamp();
            foreach (var (key, copy) in copies.Where(entry => entry.Value.Readers == 0)
                .OrderByDescending(entry => entry.Value.LastRead).Skip(UnusedLimit).ToList())
            {
                copies.Remove(key);
                File.Delete(copy.Path);
                copy.Dispose();
            }
        }
    }

    private static AttemptFailedException Missing(string key) => new(
        FailureCodes.SourceUnreadable, $"The source {key} is not in this worker's object store.");
}

/// <summary>A source that stays where it is until this is disposed of.</summary>
internal sealed class HeldSource(string path, Action leave) : IDisposable
{
    public string Path { get; } = path;

    public void Dispose() => leave();
}
