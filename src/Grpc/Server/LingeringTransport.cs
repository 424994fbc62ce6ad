using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// A connection's transport that stays open when the server is done with it. A client may have sent a call before it
/// read the last GOAWAY; a socket that is closed with unread bytes is reset, and the reset can overtake the GOAWAY that
/// tells the client which calls to send again. So what still comes is read and dropped until the client closes.
/// </summary>
sealed class LingeringTransport(IDuplexPipe inner) : IDuplexPipe
{
    readonly Reader _input = new(inner.Input);
    readonly Writer _output = new(inner.Output);

    public PipeReader Input => _input;

    public PipeWriter Output => _output;

    /// <summary>Waits for the client's end, within a limit; then completes both pipes as the server wished.</summary>
    public async Task LingerAsync(CancellationToken limit)
    {
        if (!_output.IsFaulted)
            await _input.DrainAsync(limit);
        await _output.ReleaseAsync();
        await _input.ReleaseAsync();
    }

    sealed class Reader(PipeReader inner) : PipeReader
    {
        ReadOnlySequence<byte>? _unread;
        Exception? _fault;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var result = await inner.ReadAsync(cancellationToken);
            _unread = result.Buffer;
            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            if (!inner.TryRead(out result))
                return false;
            _unread = result.Buffer;
            return true;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            _unread = null;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => _fault = exception;

        public async Task DrainAsync(CancellationToken limit)
        {
            try
            {
                if (_unread is { } left)
                    AdvanceTo(left.End);
                ReadResult result;
                do
                {
                    result = await inner.ReadAsync(limit);
                    inner.AdvanceTo(result.Buffer.End);
                }
                while (!result.IsCompleted);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The client takes too long, or is gone.
            }
        }

        public ValueTask ReleaseAsync() => inner.CompleteAsync(_fault);
    }

    sealed class Writer(PipeWriter inner) : PipeWriter
    {
        Exception? _fault;

        public bool IsFaulted => _fault is not null;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => _fault = exception;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            inner.FlushAsync(cancellationToken);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public ValueTask ReleaseAsync() => inner.CompleteAsync(_fault);
    }
}
