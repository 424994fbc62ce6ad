using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Hexcast.Grpc;

/// <summary>
/// The client's end of an in-memory connection, for a handler that reads and writes at the same time and disposes
/// whenever it likes. One reader and one writer at once.
/// </summary>
sealed class InMemoryStream(PipeReader input, PipeWriter output) : Stream
{
    const int Idle = 0;
    const int Busy = 1;
    const int Closing = 2;

    int _reading;
    int _writing;
    volatile bool _isBroken;

    /// <summary>Called once this end is closed.</summary>
    public Action? Closed { get; set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The server aborted: whatever this end waits for fails now.</summary>
    public void Break()
    {
        _isBroken = true;
        input.CancelPendingRead();
        output.CancelPendingFlush();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Enter(ref _reading);
        try
        {
            var result = await input.ReadAsync(cancellationToken);
            // With an empty buffer the caller only asks to be woken when there is something.
            var count = (int)Math.Min(result.Buffer.Length, buffer.Length);
            result.Buffer.Slice(0, count).CopyTo(buffer.Span);
            input.AdvanceTo(result.Buffer.GetPosition(count));
            ThrowIfBroken();
            if (result.IsCanceled)
                throw new IOException("The connection was closed while it was read.");
            return count;
        }
        finally
        {
            if (Interlocked.CompareExchange(ref _reading, Idle, Busy) == Closing)
                await input.CompleteAsync();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Enter(ref _writing);
        try
        {
            ThrowIfBroken();
            var result = await output.WriteAsync(buffer, cancellationToken);
            ThrowIfBroken();
            if (result.IsCanceled || result.IsCompleted)
                throw new IOException("The server closed the connection.");
        }
        finally
        {
            if (Interlocked.CompareExchange(ref _writing, Idle, Busy) == Closing)
                await output.CompleteAsync();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("Read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("Write asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>An end that is in use right now is completed by its user, which this wakes.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            switch (Interlocked.Exchange(ref _reading, Closing))
            {
                case Idle:
                    input.Complete();
                    break;
                case Busy:
                    input.CancelPendingRead();
                    break;
            }

            switch (Interlocked.Exchange(ref _writing, Closing))
            {
                case Idle:
                    output.Complete();
                    break;
                case Busy:
                    output.CancelPendingFlush();
                    break;
            }

            Closed?.Invoke();
        }

        base.Dispose(disposing);
    }

    void Enter(ref int state)
    {
        var was = Interlocked.CompareExchange(ref state, Busy, Idle);
        ObjectDisposedException.ThrowIf(was == Closing, this);
        if (was == Busy)
            throw new InvalidOperationException("An in-memory stream takes one read and one write at once.");
    }

    void ThrowIfBroken()
    {
        if (_isBroken)
            throw new IOException("The server aborted the connection.");
    }
}
