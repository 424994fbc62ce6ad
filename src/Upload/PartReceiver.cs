using System.Threading.Channels;
using Hexcast.Platform.ObjectStore;
using Microsoft.AspNetCore.Http;

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
/// body ─▶ receive: fills a buffer ─▶ [2 full] ─▶ store: writes it ─▶ [2 stored] ─▶ hash it, give it back
///                                                  └ every 256 MiB or 5 s: fsync, then checkpoint(offset)
/// </code>
/// Whatever ends the body, what came before is stored and checkpointed.
/// </summary>
internal sealed class PartReceiver(
    PartFile part, PartHash hash, PartBuffers buffers, Action<long> checkpoint, TimeSpan idleTimeout,
    TimeProvider clock) : IDisposable
{
    private const long CheckpointBytes = 256 << 20;

    /// <summary>Between two stages: enough that neither waits while the other gets a processor.</summary>
    private const int QueuedBuffers = 2;

    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(5);

    private readonly Channel<Filled> full = Channel.CreateBounded<Filled>(QueuedBuffers);
    private readonly Channel<Filled> stored = Channel.CreateBounded<Filled>(QueuedBuffers);
    // Says that a buffer was given back; one word is enough for any number.
    private readonly Channel<bool> given = Channel.CreateBounded<bool>(1);
    private readonly PartBuffers.Share share = buffers.TakeShare();
    private readonly Lock signals = new();
    private readonly List<TaskCompletionSource> promised = [];

    // Ends the body for good: after one cancelled read Kestrel's request body cannot be read on.
    private readonly CancellationTokenSource interruption = new(Timeout.InfiniteTimeSpan, clock);
    private TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? checkpointWanted;
    private volatile bool superseded;
    private bool ended;
    private int held;

    /// <summary>Ends this receiver; what it has is stored first.</summary>
    public void Supersede()
    {
        superseded = true;
        interruption.Cancel();
    }

    /// <summary>Ends once all that has arrived until now is durable, or the receiver has ended.</summary>
    public Task CheckpointAsync()
    {
        lock (signals)
        {
            if (ended)
            {
                return Task.CompletedTask;
            }

            checkpointWanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            asked.TrySetResult();
            return checkpointWanted.Task;
        }
    }

    /// <summary>Takes at most <paramref name="limit"/> bytes.</summary>
    public async Task<BodyEnd> ReceiveAsync(Stream body, long limit, CancellationToken aborted)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        using var stopping = stop.Token.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).Cancel(), interruption);
        var storing = Task.WhenAll(StoreAsync(stop), HashAsync());
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
        share.Dispose();
        interruption.Dispose();
    }

    private async Task<BodyEnd> FillAsync(Stream body, long limit, CancellationToken stop)
    {
        var buffer = await TakeBufferAsync(stop);
        // Blocks of the file are blocks of the buffer, as PartFile wants them.
        var handed = (int)(hash.Length % DirectFile.AlignmentBytes);
        var (count, received) = (handed, 0L);
        Task<int>? reading = null;
        try
        {
            while (true)
            {
                reading ??= ReadAsync(body, buffer[count..]);
                if (!reading.IsCompleted)
                {
                    await Task.WhenAny(reading, asked.Task);
                }

                if (TakeWantedCheckpoint() is { } wanted)
                {
                    // The read goes on behind what is handed over.
                    await HandOverAsync(new Filled(buffer, handed..count, Last: false, wanted));
                    handed = count;
                    continue;
                }

                var (read, end) = await EndOfAsync(reading, stop);
                reading = null;
                if (received + read > limit)
                {
                    (read, end) = ((int)(limit - received), BodyEnd.TooLong);
                }

                count += read;
                received += read;
                if (count == buffer.Length || end is not null)
                {
                    await HandOverAsync(new Filled(buffer, handed..count, Last: true, Wanted: null));
                    if (end is { } reason)
                    {
                        return reason;
                    }

                    buffer = await TakeBufferAsync(stop);
                    (handed, count) = (0, 0);
                }
            }
        }
        finally
        {
            if (reading is not null)
            {
                // It must not write into a buffer that is somebody else's by then.
                interruption.Cancel();
                await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // With two each goes on: one is filled while the other is on its way to the disk.
    private async ValueTask<Memory<byte>> TakeBufferAsync(CancellationToken stop)
    {
        while (Volatile.Read(ref held) >= share.Buffers)
        {
            await given.Reader.ReadAsync(stop);
        }

        Interlocked.Increment(ref held);
        return buffers.Rent();
    }

    private void GiveBack(Memory<byte> buffer)
    {
        buffers.Return(buffer);
        Interlocked.Decrement(ref held);
        given.Writer.TryWrite(true);
    }

    // Not cancellable: what has arrived is to be kept, also when the connection is gone.
    private ValueTask HandOverAsync(Filled filled) => full.Writer.WriteAsync(filled, CancellationToken.None);

    private async Task<int> ReadAsync(Stream body, Memory<byte> buffer)
    {
        interruption.CancelAfter(idleTimeout);
        return await body.ReadAsync(buffer, interruption.Token);
    }

    private async Task<(int Read, BodyEnd? End)> EndOfAsync(Task<int> reading, CancellationToken stop)
    {
        try
        {
            var read = await reading;
            return (read, read == 0 ? BodyEnd.Complete : null);
        }
        catch (OperationCanceledException)
        {
            return (0, superseded ? BodyEnd.Superseded : stop.IsCancellationRequested ? BodyEnd.Broken : BodyEnd.Idle);
        }
        catch (Exception broken) when (broken is IOException or BadHttpRequestException)
        {
            return (0, BodyEnd.Broken);
        }
    }

    private TaskCompletionSource? TakeWantedCheckpoint()
    {
        lock (signals)
        {
            if (checkpointWanted is not { } wanted)
            {
                return null;
            }

            checkpointWanted = null;
            asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            promised.RemoveAll(promise => promise.Task.IsCompleted);
            promised.Add(wanted);
            return wanted;
        }
    }

    // Keeps its thread while the disk writes: given to the thread pool, a write waits for a thread as long as for the
    // disk.
    private async Task StoreAsync(CancellationTokenSource stop)
    {
        var offset = hash.Length;
        var checkpointed = offset;
        var checkpointedAt = clock.GetTimestamp();
        try
        {
            await foreach (var filled in full.Reader.ReadAllAsync(CancellationToken.None))
            {
                part.Write(filled.Bytes.Span, offset);
                offset += filled.Bytes.Length;
                await stored.Writer.WriteAsync(filled, CancellationToken.None);
                if (offset - checkpointed >= CheckpointBytes || filled.Wanted is not null
                    || clock.GetElapsedTime(checkpointedAt) >= CheckpointInterval)
                {
                    Checkpoint();
                    filled.Wanted?.TrySetResult();
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
        finally
        {
            stored.Writer.TryComplete();
        }

        void Checkpoint()
        {
            if (offset > checkpointed)
            {
                part.Sync();
                checkpoint(offset);
                checkpointed = offset;
            }

            checkpointedAt = clock.GetTimestamp();
        }
    }

    // Never ahead of what is stored: where storing fails, the hash is of what the file holds.
    private async Task HashAsync()
    {
        try
        {
            await foreach (var filled in stored.Reader.ReadAllAsync(CancellationToken.None))
            {
                hash.Append(filled.Bytes.Span);
                if (filled.Last)
                {
                    GiveBack(filled.Buffer);
                }
            }
        }
        finally
        {
            // Storing does not wait for a reader that is gone.
            stored.Writer.TryComplete();
        }
    }

    private void End()
    {
        lock (signals)
        {
            ended = true;
            checkpointWanted?.TrySetResult();
            promised.ForEach(promise => promise.TrySetResult());
        }
    }

    /// <summary>A stretch of a buffer that is to be stored; after the last one the buffer is free again.</summary>
    private readonly record struct Filled(Memory<byte> Buffer, Range Stretch, bool Last, TaskCompletionSource? Wanted)
    {
        public ReadOnlyMemory<byte> Bytes => Buffer[Stretch];
    }
}
