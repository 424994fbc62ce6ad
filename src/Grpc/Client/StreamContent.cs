using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>
/// An open request body. (1) Messages are written to a pipe, whose writer waits while much of it is unsent; (2) the
/// request sends what is in it, several messages at once where they came faster than they went. (3) Until the server
/// has answered, what was sent stays in the pipe, within a limit: a server that goes away may not have taken the call,
/// and HttpClient then sends it again on another connection.
/// </summary>
sealed class StreamContent<T> : HttpContent
    where T : class
{
    /// <summary>The pipe's smallest block: streams that say little are many.</summary>
    const int MinBlockBytes = 1024;

    /// <summary>What waits in the pipe beyond this stops the writer.</summary>
    const int PauseBytes = 64 * 1024;

    /// <summary>A call that has sent more is not sent again.</summary>
    const int MaxHeldBytes = 64 * 1024;

    /// <summary>Smaller blocks are sent together, so many bytes at once: what one HTTP/2 frame holds.</summary>
    const int GatheredBytes = 16 * 1024;

    static readonly PipeOptions Options = new(
        readerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: PauseBytes,
        resumeWriterThreshold: PauseBytes / 2,
        minimumSegmentSize: MinBlockBytes,
        useSynchronizationContext: false);

    readonly Pipe _pipe = new(Options);
    readonly SemaphoreSlim _turn = new(1);
    readonly Lock _gate = new();
    readonly Action<T, SerializationContext> _serializer;
    readonly FrameWriter _frames;
    readonly Func<WriteOptions?, MessageCompressor?>? _compressorFor;
    CancellationTokenSource? _run;
    TaskCompletionSource? _fate;
    ReadOnlySequence<byte> _held;
    bool _isGivenUp;
    volatile bool _isTaken;

    /// <param name="marshaller">Of the messages.</param>
    /// <param name="maxMessageBytes">Null: no limit.</param>
    /// <param name="compressorFor">What compresses a message; null: none is compressed.</param>
    public StreamContent(
        Marshaller<T> marshaller, int? maxMessageBytes, Func<WriteOptions?, MessageCompressor?>? compressorFor)
    {
        _compressorFor = compressorFor;
        _serializer = marshaller.ContextualSerializer;
        _frames = new FrameWriter(maxMessageBytes);
        Headers.ContentType = GrpcContentType.Value;
    }

    /// <summary>A serializer failed inside a frame: nothing sensible can follow.</summary>
    public bool IsBroken => _frames.IsBroken;

    // (1)
    public void Add(T message, WriteOptions? options) =>
        _frames.Write(message, _serializer, _pipe.Writer, _compressorFor?.Invoke(options));

    /// <summary>Has what was added sent, unless more is said to follow; waits while too much is unsent.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync(WriteOptions? options, CancellationToken cancellationToken)
    {
        var mayWait = options is not null && options.Flags.HasFlag(WriteFlags.BufferHint);
        if (mayWait && _pipe.Writer.UnflushedBytes < PauseBytes)
            return;
        var result = await _pipe.Writer.FlushAsync(cancellationToken);
        if (result.IsCompleted)
            throw new IOException("The server takes no more messages on this call.");
    }

    /// <summary>After the last message; the request's end follows it.</summary>
    public void Complete() => _pipe.Writer.Complete();

    /// <summary>The server has answered: the call is its, and is not sent again.</summary>
    public void OnTaken() => _isTaken = true;

    /// <summary>The call is over: what is unsent stays so, and the server must not take it for the request's end.
    /// </summary>
    public void GiveUp()
    {
        lock (_gate)
        {
            _isGivenUp = true;
            _fate?.TrySetResult();
            if (_run is null)
                _pipe.Reader.Complete();
        }

        EndRun();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var fate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Supersede(fate);
        try
        {
            await RunAsync(stream, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && !_isTaken)
        {
            // HttpClient would take this for the call's end before it saw that the call can be sent again.
            await fate.Task;
            // It knows its own cancellation by the token.
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    // An earlier connection may still be at it, though it will come to nothing.
    void Supersede(TaskCompletionSource fate)
    {
        TaskCompletionSource? earlier;
        lock (_gate)
        {
            earlier = _fate;
            _fate = fate;
            if (_isGivenUp)
                fate.SetResult();
        }

        earlier?.TrySetResult();
        EndRun();
    }

    void EndRun()
    {
        try
        {
            Volatile.Read(ref _run)?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended at this very moment.
        }
    }

    async Task RunAsync(Stream stream, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        using var run = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            Begin(run);
            // The headers must not wait for the first message: the server may have something to say before.
            await stream.FlushAsync(run.Token);
            await SendAsync(stream, run.Token);
        }
        finally
        {
            Finish();
            _turn.Release();
        }
    }

    void Begin(CancellationTokenSource run)
    {
        lock (_gate)
        {
            if (_isGivenUp || _isTaken)
                throw new IOException("The connection was lost, and messages that were sent are not kept.");
            _run = run;
        }
    }

    void Finish()
    {
        lock (_gate)
        {
            _run = null;
            if (_isGivenUp || _isTaken)
                _pipe.Reader.Complete();
        }
    }

    // (2), (3)
    async Task SendAsync(Stream stream, CancellationToken cancellationToken)
    {
        await WriteAsync(stream, _held, cancellationToken);
        var sentBytes = _held.Length;
        while (true)
        {
            if (!_pipe.Reader.TryRead(out var result))
            {
                await stream.FlushAsync(cancellationToken);
                result = await _pipe.Reader.ReadAsync(cancellationToken);
            }

            _held = result.Buffer;
            var letGo = false;
            try
            {
                await WriteAsync(stream, _held.Slice(sentBytes), cancellationToken);
                sentBytes = _held.Length;
                if (sentBytes > MaxHeldBytes)
                    _isTaken = true;
                letGo = _isTaken;
            }
            finally
            {
                _pipe.Reader.AdvanceTo(letGo ? result.Buffer.End : result.Buffer.Start, result.Buffer.End);
            }

            if (letGo)
                (_held, sentBytes) = (default, 0);
            if (result.IsCompleted)
                return;
        }
    }

    // Each write costs the connection the same, however little it is.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    static async ValueTask WriteAsync(Stream stream, ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        byte[]? gathered = null;
        while (!bytes.IsEmpty)
        {
            var next = bytes.First;
            if (next.Length < GatheredBytes && bytes.Length > next.Length)
            {
                gathered ??= ArrayPool<byte>.Shared.Rent(GatheredBytes);
                var count = (int)Math.Min(GatheredBytes, bytes.Length);
                bytes.Slice(0, count).CopyTo(gathered);
                next = gathered.AsMemory(0, count);
            }

            await stream.WriteAsync(next, cancellationToken);
            bytes = bytes.Slice(next.Length);
        }

        // Not after a failure, when somebody may still hold it.
        if (gathered is not null)
            ArrayPool<byte>.Shared.Return(gathered);
    }
}
