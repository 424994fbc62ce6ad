using System.Buffers;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.Win32.SafeHandles;

namespace Hexcast.Upload;

/// <summary>How the body of a request ended.</summary>
internal enum BodyEnd
{
    Complete,

    /// <summary>There are more bytes than the upload has room for.</summary>
    TooLong,

    /// <summary>A newer request took over.</summary>
    Superseded,

    /// <summary>No byte for too long.</summary>
    Idle,

    /// <summary>The connection broke.</summary>
    Broken,
}

/// <summary>
/// Moves one request's body into the part file. Reading from the network, hashing and writing overlap:
/// <code>
/// body ─▶ receive: fills a buffer ─▶ [2 full buffers] ─▶ store: hashes it while it is written ─▶ back to the free ones
///                                                          └ every 8 MiB or 5 s: fsync, then checkpoint(offset)
/// </code>
/// Whatever ends the body, what came before is stored and checkpointed.
/// </summary>
internal sealed class PartReceiver(
    SafeFileHandle part, PartHash hash, Action<long> checkpoint, TimeSpan idleTimeout, TimeProvider clock) : IDisposable
{
    public const long CheckpointBytes = 8 << 20;

    private const int BufferBytes = 1 << 20;
    private const int BufferCount = 4;
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(5);

    private readonly byte[][] buffers =
        [.. Enumerable.Range(0, BufferCount).Select(_ => ArrayPool<byte>.Shared.Rent(BufferBytes))];

    private readonly Channel<byte[]> free = Channel.CreateBounded<byte[]>(BufferCount);
    private readonly Channel<Filled> full = Channel.CreateBounded<Filled>(BufferCount - 2);
    private readonly Lock signals = new();
    private CancellationTokenSource reading = new(Timeout.InfiniteTimeSpan, clock);
    private TaskCompletionSource? checkpointWanted;
    private bool superseded;
    private bool ended;

    /// <summary>Ends this receiver; what it has is stored first.</summary>
    public void Supersede()
    {
        CancellationTokenSource interrupted;
        lock (signals)
        {
            superseded = true;
            interrupted = reading;
        }

        // Outside the lock: what waits for the read goes on right here.
        interrupted.Cancel();
    }

    /// <summary>Ends once all that has arrived until now is durable.</summary>
    public Task CheckpointAsync()
    {
        Task reached;
        CancellationTokenSource interrupted;
        lock (signals)
        {
            if (ended)
            {
                return Task.CompletedTask;
            }

            checkpointWanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (reached, interrupted) = (checkpointWanted.Task, reading);
        }

        interrupted.Cancel();
        return reached;
    }

    /// <summary>Takes at most <paramref name="limit"/> bytes.</summary>
    public async Task<BodyEnd> ReceiveAsync(Stream body, long limit, CancellationToken aborted)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        foreach (var buffer in buffers)
        {
            free.Writer.TryWrite(buffer);
        }

        var storing = StoreAsync(stop);
        try
        {
            return await FillAsync(body, limit, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return BodyEnd.Broken;
        }
        catch (ChannelClosedException)
        {
            // Storing failed; its own exception is thrown below.
            return BodyEnd.Broken;
        }
        finally
        {
            full.Writer.TryComplete();
            try
            {
                await storing;
            }
            finally
            {
                End();
            }
        }
    }

    public void Dispose()
    {
        foreach (var buffer in buffers)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        // Not disposed: a newer request may be about to cancel it. Only its timer is to end.
        lock (signals)
        {
            reading.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private async Task<BodyEnd> FillAsync(Stream body, long limit, CancellationToken stop)
    {
        var buffer = await free.Reader.ReadAsync(stop);
        var count = 0;
        var received = 0L;
        BodyEnd? end = null;
        while (end is null)
        {
            var (read, readEnd) = await ReadAsync(body, buffer.AsMemory(count), stop);
            end = readEnd;
            if (received + read > limit)
            {
                read = (int)(limit - received);
                end = BodyEnd.TooLong;
            }

            count += read;
            received += read;
            var wanted = TakeWantedCheckpoint();
            if (count == buffer.Length || wanted is not null || end is not null)
            {
                // Not cancellable: what has arrived is to be kept, also when the connection is gone.
                await full.Writer.WriteAsync(new Filled(buffer, count, wanted), CancellationToken.None);
                buffer = end is null ? await free.Reader.ReadAsync(stop) : buffer;
                count = 0;
            }
        }

        return end.Value;
    }

    private async ValueTask<(int Read, BodyEnd? End)> ReadAsync(
        Stream body, Memory<byte> buffer, CancellationToken stop)
    {
        if (ArmReading() is not { } source)
        {
            return (0, null);
        }

        using var linked = stop.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), source);
        try
        {
            var read = await body.ReadAsync(buffer, source.Token);
            return (read, read == 0 ? BodyEnd.Complete : null);
        }
        catch (OperationCanceledException)
        {
            lock (signals)
            {
                return (0, superseded ? BodyEnd.Superseded
                    : stop.IsCancellationRequested ? BodyEnd.Broken
                    : checkpointWanted is not null ? null
                    : BodyEnd.Idle);
            }
        }
        catch (Exception broken) when (broken is IOException or BadHttpRequestException)
        {
            return (0, BodyEnd.Broken);
        }
    }

    // One source serves many reads: only its timer moves. A fired one is replaced. Null when a checkpoint is due first.
    private CancellationTokenSource? ArmReading()
    {
        lock (signals)
        {
            if (checkpointWanted is not null && !superseded)
            {
                return null;
            }

            if (!superseded && reading.IsCancellationRequested)
            {
                reading = new CancellationTokenSource(idleTimeout, clock);
            }

            reading.CancelAfter(idleTimeout);
            return reading;
        }
    }

    private TaskCompletionSource? TakeWantedCheckpoint()
    {
        lock (signals)
        {
            var wanted = checkpointWanted;
            checkpointWanted = null;
            return wanted;
        }
    }

    private async Task StoreAsync(CancellationTokenSource stop)
    {
        var offset = hash.Length;
        var checkpointed = offset;
        var checkpointedAt = clock.GetTimestamp();
        try
        {
            await foreach (var (buffer, count, wanted) in full.Reader.ReadAllAsync(CancellationToken.None))
            {
                var write = RandomAccess.WriteAsync(part, buffer.AsMemory(0, count), offset, CancellationToken.None);
                hash.Append(buffer.AsSpan(0, count));
                await write;
                offset += count;
                free.Writer.TryWrite(buffer);
                if (offset - checkpointed >= CheckpointBytes || wanted is not null
                    || clock.GetElapsedTime(checkpointedAt) >= CheckpointInterval)
                {
                    Checkpoint();
                    wanted?.TrySetResult();
                }
            }

            Checkpoint();
        }
        catch
        {
            full.Writer.TryComplete();
            stop.Cancel();
            throw;
        }

        void Checkpoint()
        {
            if (offset > checkpointed)
            {
                RandomAccess.FlushToDisk(part);
                checkpoint(offset);
                checkpointed = offset;
            }

            checkpointedAt = clock.GetTimestamp();
        }
    }

    private void End()
    {
        lock (signals)
        {
            ended = true;
            checkpointWanted?.TrySetResult();
            checkpointWanted = null;
        }
    }

    private readonly record struct Filled(byte[] Buffer, int Count, TaskCompletionSource? Wanted);
}
