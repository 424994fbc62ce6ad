using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>The caller's messages. A caller that goes away ends the read with an OperationCanceledException.</summary>
sealed class RequestStream<T>(HttpServerCallContext context, Func<DeserializationContext, T> deserializer)
    : IMessageReader<T>, IDisposable
    where T : class
{
    readonly FrameReader _frames = new(
        context.HttpContext.Request.BodyReader, context.Options.MaxReceiveMessageSize, context.Encoding?.Decompressor);
    CancellationTokenSource? _either;
    CancellationToken _ofRead;
    T? _current;
    bool _isEnded;

    public T Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public Task<bool> MoveNext(CancellationToken cancellationToken) => MoveNextAsync(cancellationToken).AsTask();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        if (_isEnded)
            return false;
        _current = null;
        _current = await FromCaller(_frames.ReadAsync(deserializer, OfReadAndCall(cancellationToken)));
        _isEnded = _current is null;
        return !_isEnded;
    }

    public void Dispose() => _either?.Dispose();

    /// <summary>The request of a method that takes exactly one.</summary>
    public async Task<T> ReadSingleAsync() =>
        await FromCaller(_frames.ReadSingleAsync(deserializer, context.CancellationToken))
        ?? throw new RpcException(new Status(StatusCode.Internal, "The request message is missing."));

    // Whoever reads with a token of their own does so with the same one again and again.
    CancellationToken OfReadAndCall(CancellationToken ofRead)
    {
        var ofCall = context.CancellationToken;
        if (!ofRead.CanBeCanceled || ofRead == ofCall)
            return ofCall;
        if (_either is null || ofRead != _ofRead)
        {
            _either?.Dispose();
            _either = CancellationTokenSource.CreateLinkedTokenSource(ofRead, ofCall);
            _ofRead = ofRead;
        }

        return _either.Token;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<T?> FromCaller(ValueTask<T?> read)
    {
        try
        {
            return await read;
        }
        catch (IOException e)
        {
            // A reset stream, a lost connection or a broken HTTP/2 frame: in any case nobody waits for an answer.
            throw new CallerGoneException(e, context.CancellationToken);
        }
    }
}

/// <summary>A cancellation that is known before Kestrel gets to cancelling the request's token.</summary>
sealed class CallerGoneException(Exception? cause, CancellationToken token)
    : OperationCanceledException("The caller ended the call.", cause, token);

/// <summary>Messages to the caller. Each is flushed unless the write options say that more follows.</summary>
sealed class ResponseStream<T>(HttpServerCallContext context, Action<T, SerializationContext> serializer)
    : IServerStreamWriter<T>
    where T : class
{
    readonly FrameWriter _frames = new(context.Options.MaxSendMessageSize);
    int _isWriting;

    public WriteOptions? WriteOptions
    {
        get => context.WriteOptions;
        set => context.WriteOptions = value;
    }

    /// <summary>What was sent cannot be followed by a status: the stream has to be reset.</summary>
    public bool IsBroken => _frames.IsBroken;

    public bool IsEnded { get; set; }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken) =>
        SendAsync(message, cancellationToken).AsTask();

    /// <summary>Leaves the message to the end of the response to be sent.</summary>
    public void Buffer(T message)
    {
        context.MarkWritten();
        _frames.Write(
            message,
            serializer,
            context.HttpContext.Response.BodyWriter,
            context.Encoding?.CompressorFor(WriteOptions));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask SendAsync(T message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        context.CancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref _isWriting, 1) == 1)
            throw new InvalidOperationException("The last write is not done: await it before the next one.");
        try
        {
            if (IsEnded)
                throw new InvalidOperationException("The call has ended: no more messages can be written.");
            Buffer(message);
            if (WriteOptions is null || !WriteOptions.Flags.HasFlag(WriteFlags.BufferHint))
                await context.FlushAsync();
        }
        finally
        {
            Volatile.Write(ref _isWriting, 0);
        }
    }
}
