using System.Collections.Concurrent;
using Hexcast.Contracts;
using Hexcast.Platform.Errors;
using Hexcast.Platform.ObjectStore;
using Microsoft.Extensions.Logging;

namespace Hexcast.Upload;

/// <summary>
/// The uploads of this node: "{media_id}.journal" and "{media_id}.part" in a folder on the object store's file system.
/// </summary>
internal sealed class UploadStore : IDisposable
{
    private const string JournalEnding = ".journal";
    private const string PartEnding = ".part";

    private readonly ConcurrentDictionary<string, StoredUpload> uploads = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim unpublished = new(0, 1);
    private readonly string folder;
    private readonly UploadPublisher publisher;

    public UploadStore(
        string folder, UploadOptions options, UploadPublisher publisher, TimeProvider clock, ILogger<UploadStore> log)
    {
        (this.folder, Options, this.publisher, Clock, Log) = (folder, options, publisher, clock, log);
        DurableFiles.CreateDirectory(folder);
        Load();
    }

    public UploadOptions Options { get; }

    public TimeProvider Clock { get; }

    public ILogger Log { get; }

    public PartBuffers Buffers { get; } = new();

    public IEnumerable<StoredUpload> All => uploads.Values;

    /// <summary>Those that an earlier process has left.</summary>
    public IReadOnlyList<StoredUpload> Loaded { get; private set; } = [];

    /// <summary>Durable when it returns: the id may be handed out.</summary>
    public StoredUpload Create(UploadDescription description)
    {
        if (uploads.Count >= Options.MaxUploads)
        {
            throw new HexcastException(
                ErrorCodes.ResourceExhausted,
                $"There are {Options.MaxUploads} uploads. Finish or terminate some, or raise Upload:MaxUploads.");
        }

        var journal = UploadJournal.Create(
            Path.Combine(folder, description.MediaId + JournalEnding), JournalEntry.Create(description));
        var upload = new StoredUpload(new UploadState(description), journal, PartPath(description.MediaId), this);
        uploads[description.MediaId] = upload;
        return upload;
    }

    public StoredUpload? TryGet(string mediaId) => uploads.GetValueOrDefault(mediaId);

    /// <exception cref="HexcastException">not_found</exception>
    public StoredUpload Get(string mediaId) => TryGet(mediaId)
        ?? throw new HexcastException(
            ErrorCodes.NotFound, "There is no such upload: it never was, was terminated, or has expired.");

    public Task PublishAsync(StoredUpload upload, CancellationToken cancel) => publisher.PublishAsync(
        upload.Description, upload.PartPath, upload.Length!.Value, upload.Sha256, cancel);

    /// <summary>There is an upload that its request has left unpublished.</summary>
    public void WakeRecovery()
    {
        lock (unpublished)
        {
            if (unpublished.CurrentCount == 0)
            {
                unpublished.Release();
            }
        }
    }

    /// <summary>Ends when an upload could not be published, or after <paramref name="limit"/>.</summary>
    public async Task UnpublishedAsync(TimeSpan limit, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(limit, Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        try
        {
            await unpublished.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
        }
    }

    // The journal goes first: a part without one is swept at the next start.
    public void Remove(StoredUpload upload)
    {
        upload.Journal.Delete();
        File.Delete(upload.PartPath);
        uploads.TryRemove(upload.Description.MediaId, out _);
    }

    public void Dispose()
    {
        foreach (var upload in uploads.Values)
        {
            upload.Dispose();
        }

        unpublished.Dispose();
    }

    private void Load()
    {
        foreach (var path in Directory.GetFiles(folder, "*.new"))
        {
            File.Delete(path);
        }

        foreach (var path in Directory.GetFiles(folder, "*" + JournalEnding))
        {
            var mediaId = Path.GetFileNameWithoutExtension(path);
            if (!MediaId.TryParse(mediaId, out _) || UploadJournal.Load(path) is not var (journal, entries))
            {
                // Never acknowledged, or not ours: the first entry is synced before the id is answered.
                Log.LogWarning(
                    "The journal {File} has no whole first entry or is too large, and is set aside",
                    Path.GetFileName(path));
                File.Move(path, path + ".damaged", overwrite: true);
                continue;
            }

            var state = new UploadState(entries[0].Description!);
            foreach (var entry in entries)
            {
                state.Step(new UploadEvent.Journaled(entry), entry.At);
            }

            uploads[mediaId] = new StoredUpload(state, journal, PartPath(mediaId), this);
        }

        Loaded = [.. uploads.Values];
        foreach (var path in Directory.GetFiles(folder, "*" + PartEnding))
        {
            if (!uploads.ContainsKey(Path.GetFileNameWithoutExtension(path)))
            {
                File.Delete(path);
            }
        }
    }

    private string PartPath(string mediaId) => Path.Combine(folder, mediaId + PartEnding);
}
