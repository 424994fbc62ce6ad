using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>The server's messages; reading past the last one throws the call's status unless it is OK.</summary>
sealed class ResponseReader<TRequest, TResponse>(ClientCall<TRequest, TResponse> call) : IMessageReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    TResponse? _current;
    int _isReading;

    public TResponse Current => _current ?? throw new InvalidOperationException("There is no current message.");

    /// <summary>A token that is cancelled cancels the call, since half a read cannot be taken back.</summary>
    public Task<bool> MoveNext(CancellationToken cancellationToken) => MoveNextAsync(cancellationToken).AsTask();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isReading, 1) == 1)
            throw new InvalidOperationException("The last read is not done: await it before the next one.");
        try
        {
            _current = null;
            using var registration = call.AbortOn(cancellationToken);
            _current = await call.ReadNextAsync();
            return _current is not null;
        }
        finally
        {
            Volatile.Write(ref _isReading, 0);
        }
    }
}

/// <summary>Messages to the server. A write that fails because the call has ended throws the call's status.</summary>
/// <param name="call">The call.</param>
/// <param name="response">Where the server answers once: its task, which knows why the server stopped reading.</param>
sealed class RequestWriter<TRequest, TResponse>(
    ClientCall<TRequest, TResponse> call, Task<TResponse>? response)
    : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    int _isWriting;
    bool _isCompleted;

    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TRequest message, CancellationToken cancellationToken) =>
        SendAsync(message, cancellationToken).AsTask();

    public Task CompleteAsync()
    {
        if (Volatile.Read(ref _isWriting) == 1)
            throw new InvalidOperationException("The last write is not done: await it before completing the stream.");
        _isCompleted = true;
        call.CompleteRequests();
        return Task.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask SendAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (Interlocked.Exchange(ref _isWriting, 1) == 1)
            throw new InvalidOperationException("The last write is not done: await it before the next one.");
        try
        {
            if (_isCompleted)
                throw new InvalidOperationException("The request stream was completed: nothing can follow.");
            ThrowIfEnded();
            using var registration = call.AbortOn(cancellationToken);
            await call.WriteAsync(message, call.Aborted);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException
            or ObjectDisposedException)
        {
            throw await WhyNotTaken(e);
        }
        finally
        {
            Volatile.Write(ref _isWriting, 0);
        }
    }

    void ThrowIfEnded()
    {
        if (call.StatusIfEnded is not { } status)
            return;
        throw status.StatusCode == StatusCode.OK
            ? new InvalidOperationException("The call has ended with OK: no more messages can be written.")
            : call.EndedException();
    }

    // A server may answer before it has read everything; its answer then tells more than the broken write.
    async Task<Exception> WhyNotTaken(Exception e)
    {
        if (response is not null)
        {
            try
            {
                await response;
                return new InvalidOperationException("The call has ended with OK: no more messages can be written.", e);
            }
            catch (Exception ended) when (ended is RpcException or OperationCanceledException)
            {
                return ended;
            }
        }

        if (call.StatusIfEnded is { } status)
        {
            return status.StatusCode == StatusCode.OK
                ? new InvalidOperationException("The call has ended with OK: no more messages can be written.", e)
                : call.EndedException();
        }

        // The call itself goes on: what the server sent before it stopped reading is still to be read.
        return new RpcException(new Status(
            ErrorMapping.ToStatus(e).StatusCode,
            "The server no longer takes messages on this call: read the responses to their end for its status.",
            e));
    }
}
