using Hexcast.Platform.Errors;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Upload;

/// <summary>
/// The shell around one <see cref="UploadState"/>: executes its effects on part and journal. Whoever holds the turn
/// owns both; a newer writer makes the older one end first.
/// </summary>
internal sealed class StoredUpload(UploadState state, UploadJournal journal, string partPath, UploadStore store)
    : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly Lock writerLock = new();
    private PartReceiver? writer;
    private PartHash? hash;
    private int newestTicket;

    public UploadDescription Description => state.Description;

    public UploadPhase Phase => state.Phase;

    public bool IsUnpublished => state.IsUnpublished;

    public string PartPath => partPath;

    public UploadJournal Journal => journal;

    public DateTimeOffset LastActivity => state.LastActivity;

    public string Sha256 => state.Sha256;

    public long? Length => state.Length;

    /// <summary>The durable offset. Bytes that a running request has received by now are made durable first.</summary>
    public async Task<long> OffsetAsync(CancellationToken cancel)
    {
        PartReceiver? running;
        lock (writerLock)
        {
            running = writer;
        }

        if (running is not null)
        {
            await running.CheckpointAsync().WaitAsync(cancel);
        }

        return state.Offset;
    }

    /// <summary>Appends a body at the offset; publishes the upload when it is whole.</summary>
    /// <returns>The durable offset.</returns>
    public async Task<long> WriteAsync(long offset, long? bodyLength, Stream body, CancellationToken aborted)
    {
        var ticket = await TakeTurnAsync(aborted);
        try
        {
            var epoch = 0;
            foreach (var effect in Step(new UploadEvent.WriterArrived(offset, bodyLength)))
            {
                epoch = effect is UploadEffect.Grant grant ? grant.Epoch : epoch;
                await ExecuteAsync(effect, aborted);
            }

            if (epoch > 0)
            {
                await ReceiveAsync(epoch, ticket, body, aborted);
            }

            return state.Offset;
        }
        finally
        {
            turn.Release();
            if (IsUnpublished)
            {
                store.WakeRecovery();
            }
        }
    }

    public async Task TerminateAsync(CancellationToken cancel)
    {
        await TakeTurnAsync(cancel);
        try
        {
            await RunAsync(new UploadEvent.TerminationAsked(), cancel);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Cuts, checks and publishes what the last process or a failed request left half done.</summary>
    /// <returns>False when a request works on it: it may take hours, so come back later.</returns>
    public async Task<bool> TryRecoverAsync(CancellationToken cancel)
    {
        if (!await turn.WaitAsync(TimeSpan.Zero, cancel))
        {
            return false;
        }

        try
        {
            if (Phase != UploadPhase.Removed)
            {
                await RunAsync(new UploadEvent.Opened(PartLength()), cancel);
            }

            return true;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Removes the upload if it has expired and nobody works on it.</summary>
    public async Task SweepAsync(TimeSpan expireAfter, CancellationToken cancel)
    {
        if (!await turn.WaitAsync(TimeSpan.Zero, cancel))
        {
            return;
        }

        try
        {
            await RunAsync(new UploadEvent.Swept(expireAfter), cancel);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        hash?.Dispose();
        turn.Dispose();
    }

    // A writer that has not begun to read yet sees by its ticket that it is no longer the newest.
    private async Task<int> TakeTurnAsync(CancellationToken cancel)
    {
        int ticket;
        lock (writerLock)
        {
            ticket = ++newestTicket;
            writer?.Supersede();
        }

        await turn.WaitAsync(cancel);
        return ticket;
    }

    private async Task ReceiveAsync(int epoch, int ticket, Stream body, CancellationToken aborted)
    {
        BodyEnd end;
        using (var reception = UploadTelemetry.Receive(Description, state.Offset))
        {
            end = await ReceiveBodyAsync(epoch, ticket, body, aborted);
            reception.End(end, state.Offset);
        }

        // However the body ended: HEAD says by now that nothing is missing, so the client will not come back.
        if (state.Offset == state.Length || (state.Length is null && end == BodyEnd.Complete))
        {
            await RunAsync(new UploadEvent.AllStored(hash!.Sha256, hash.Md5), aborted);
        }

        if (end == BodyEnd.Complete)
        {
            return;
        }

        aborted.ThrowIfCancellationRequested();
        throw end switch
        {
            BodyEnd.TooLong => new HexcastException(
                ErrorCodes.TooLarge, $"The body goes beyond {state.Length ?? store.Options.MaxSizeBytes} bytes."),
            BodyEnd.Superseded => new HexcastException(
                ErrorCodes.Conflict, "A newer request has taken this upload over."),
            BodyEnd.Idle => new HexcastException(
                ErrorCodes.InvalidArgument,
                $"No byte arrived for {store.Options.IdleTimeout}. Ask with HEAD and go on from there."),
            _ => new HexcastException(
                ErrorCodes.InvalidArgument, "The body broke off. Ask with HEAD and go on from there."),
        };
    }

    private async Task<BodyEnd> ReceiveBodyAsync(int epoch, int ticket, Stream body, CancellationToken aborted)
    {
        // What lies behind the offset was never acknowledged.
        CutPart(state.Offset);
        using var part = new PartFile(partPath);
        var hashed = await HashUpToOffsetAsync(part.Handle, aborted);
        using var receiver = new PartReceiver(
            part, hashed, store.Buffers, stored => Store(epoch, stored), store.Options.IdleTimeout, store.Clock);
        lock (writerLock)
        {
            writer = receiver;
            if (ticket != newestTicket)
            {
                receiver.Supersede();
            }
        }

        try
        {
            var room = (state.Length ?? store.Options.MaxSizeBytes) - state.Offset;
            return await receiver.ReceiveAsync(body, room, aborted);
        }
        catch
        {
            // What the hash has seen and what is durable differ now; the part's tail gives its space back.
            ForgetHash();
            CutPart(state.Offset);
            throw;
        }
        finally
        {
            lock (writerLock)
            {
                writer = null;
            }
        }
    }

    private IReadOnlyList<UploadEffect> Step(UploadEvent happened) => state.Step(happened, store.Clock.GetUtcNow());

    private async Task RunAsync(UploadEvent happened, CancellationToken cancel)
    {
        foreach (var effect in Step(happened))
        {
            await ExecuteAsync(effect, cancel);
        }
    }

    private async Task ExecuteAsync(UploadEffect effect, CancellationToken cancel)
    {
        switch (effect)
        {
            case UploadEffect.Refuse refusal:
                throw new HexcastException(refusal.Code, refusal.Message);
            case UploadEffect.Append append:
                journal.Append(append.Entry);
                await RunAsync(new UploadEvent.Journaled(append.Entry), cancel);
                break;
            case UploadEffect.CutPart cut:
                CutPart(cut.Length);
                break;
            case UploadEffect.Verify:
                using (var part = OpenPart())
                {
                    await HashUpToOffsetAsync(part, cancel);
                }

                await RunAsync(new UploadEvent.AllStored(hash!.Sha256, hash.Md5), cancel);
                break;
            case UploadEffect.Publish:
                ForgetHash();
                await PublishAsync(cancel);
                await RunAsync(new UploadEvent.Published(), cancel);
                break;
            case UploadEffect.Remove:
                ForgetHash();
                store.Remove(this);
                break;
        }
    }

    private async Task PublishAsync(CancellationToken cancel)
    {
        using var span = UploadTelemetry.Publish(Description);
        try
        {
            await store.PublishAsync(this, cancel);
            UploadTelemetry.NotePublished(Description, store.Clock.GetUtcNow());
        }
        catch
        {
            UploadTelemetry.NotePublishFailed();
            throw;
        }
    }

    // Called by the receiver between two buffers, while the turn is held.
    private void Store(int epoch, long offset)
    {
        foreach (var effect in Step(new UploadEvent.BytesStored(epoch, offset)))
        {
            if (effect is UploadEffect.Append append)
            {
                journal.Append(append.Entry);
                Step(new UploadEvent.Journaled(append.Entry));
            }
        }
    }

    private async Task<PartHash> HashUpToOffsetAsync(SafeFileHandle part, CancellationToken cancel)
    {
        if (hash is null || hash.Length > state.Offset)
        {
            ForgetHash();
            hash = new PartHash(Description.Metadata.Md5.Length > 0);
        }

        try
        {
            await hash.CatchUpAsync(part, state.Offset, cancel);
        }
        catch
        {
            ForgetHash();
            throw;
        }

        return hash;
    }

    private void ForgetHash()
    {
        hash?.Dispose();
        hash = null;
    }

    private SafeFileHandle OpenPart() => File.OpenHandle(
        partPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);

    private long PartLength() => new FileInfo(partPath) is { Exists: true } file ? file.Length : 0;

    // Only gives space back; what lies beyond the journalled offset is overwritten anyhow.
    private void CutPart(long length)
    {
        try
        {
            using var part = OpenPart();
            if (RandomAccess.GetLength(part) > length)
            {
                RandomAccess.SetLength(part, length);
            }
        }
        catch (Exception failure) when (failure is IOException or NotSupportedException or ArgumentException)
        {
            store.Log.LogWarning(failure, "The part of upload {MediaId} could not be cut", Description.MediaId);
        }
    }
}
