using System.Security.Cryptography;

namespace Hexcast.Platform.ObjectStore;

internal sealed class LocalObjectWriter(LocalObjectStore store, string temporary, string target, TimeProvider clock)
    : ObjectWriter
{
    private readonly FileStream file = new(
        temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool committed;

    public override long Length => file.Position;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await file.WriteAsync(bytes, cancel);
        hash.AppendData(bytes.Span);
    }

    public override Task<byte[]> CommitAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var started = clock.GetTimestamp();
        ObjectStoreTelemetry.NoteWritten(file.Length);
        DurableFiles.Sync(file);
        file.Dispose();
        store.Place(temporary, target);
        ObjectStoreTelemetry.Note("commit", clock.GetElapsedTime(started));
        committed = true;
        return Task.FromResult(hash.GetHashAndReset());
    }

    public override async ValueTask DisposeAsync()
    {
        await file.DisposeAsync();
        hash.Dispose();
        if (!committed)
        {
            File.Delete(temporary);
        }
    }
}
