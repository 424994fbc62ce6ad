using System.Buffers;
using System.Security.Cryptography;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client.Retries;

/// <summary>
/// A call of a method that may be tried again: attempts, one by one, until (1) one gets response headers, (2) the
/// judge says no, or (3) there is too much to send again. From then on the call is that attempt.
/// </summary>
sealed class RetryingCall<TRequest, TResponse>(
    GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options, RetryRules rules)
    : ClientCall<TRequest, TResponse>(channel, options)
    where TRequest : class
    where TResponse : class
{
    const int RandomSteps = 1 << 20;

    readonly RequestBuffer _buffer = new(channel.Retries);
    readonly FrameWriter _frames = new(channel.MaxSendMessageSize);
    HttpCall<TRequest, TResponse>? _attempt;
    Task<HttpCall<TRequest, TResponse>?>? _committed;

    public override void SendUnary(TRequest request)
    {
        ThrowIfChannelDisposed();
        StartTimers();
        try
        {
            _buffer.Add(Frame(request));
            _buffer.Complete();
        }
        catch (Exception e)
        {
            // Boundary: a marshaller may throw anything. As for other calls, reading tells it.
            Fail(e);
        }

        _committed = RunAsync();
    }

    public override void SendStream()
    {
        ThrowIfChannelDisposed();
        StartTimers();
        _committed = RunAsync();
    }

    public override async ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken) =>
        await _buffer.SentAsync(_buffer.Add(Frame(message)), cancellationToken);

    public override void CompleteRequests() => _buffer.Complete();

    public override async Task<TResponse> ReadSingleAsync()
    {
        var attempt = await _committed! ?? throw EndedException();
        try
        {
            return await attempt.ReadSingleAsync();
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            throw Ended(attempt);
        }
        finally
        {
            TakeEnd(attempt);
        }
    }

    public override async ValueTask<TResponse?> ReadNextAsync()
    {
        var attempt = await _committed!;
        if (attempt is null || StatusIfEnded is { StatusCode: not StatusCode.OK })
            throw EndedException();
        try
        {
            var message = await attempt.ReadNextAsync();
            if (message is null)
                TakeEnd(attempt);
            return message;
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            throw Ended(attempt);
        }
    }

    protected override void ReleaseTransport()
    {
        _buffer.Close();
        Volatile.Read(ref _attempt)?.Dispose();
    }

    async Task<HttpCall<TRequest, TResponse>?> RunAsync()
    {
        var judge = new RetryJudge(rules, Channel.Retries.Throttle);
        try
        {
            while (StatusIfEnded is null)
            {
                var attempt = new HttpCall<TRequest, TResponse>(
                    Channel, method, host, Options.WithCancellationToken(Aborted), Telemetry);
                Volatile.Write(ref _attempt, attempt);
                _buffer.StartAttempt(judge.Failures);
                attempt.SendContent(new ReplayContent(_buffer, judge.Failures), previousAttempts: judge.Failures);
                var hasHeaders = await attempt.HasHeadersAsync();
                if (hasHeaders || _buffer.IsCommitted || attempt.GetStatus().StatusCode == StatusCode.OK
                    || WaitBeforeNext(judge, attempt) is not { } wait)
                {
                    _buffer.CommitTo();
                    if (attempt.ResponseHeaders.IsCompletedSuccessfully)
                        SetHeaders(await attempt.ResponseHeaders);
                    if (!hasHeaders)
                        TakeEnd(attempt);
                    return attempt;
                }

                await Task.Delay(wait, Channel.Time, Aborted);
            }
        }
        catch (OperationCanceledException) when (Aborted.IsCancellationRequested)
        {
            // The call ended between two attempts.
        }
        catch (Exception e)
        {
            Fail(e);
        }

        return null;
    }

    TimeSpan? WaitBeforeNext(RetryJudge judge, HttpCall<TRequest, TResponse> failed)
    {
        if (StatusIfEnded is not null)
            return null;
        var random = RandomNumberGenerator.GetInt32(RandomSteps) / (double)RandomSteps;
        return judge.OnFailure(
            failed.GetStatus().StatusCode, failed.GetTrailers().Get(RetryJudge.PushbackHeader)?.Value, random);
    }

    byte[] Frame(TRequest message)
    {
        var frame = new ArrayBufferWriter<byte>();
        _frames.Write(message, method.RequestMarshaller.ContextualSerializer, frame, CompressorFor(WriteOptions));
        return frame.WrittenSpan.ToArray();
    }

    void TakeEnd(HttpCall<TRequest, TResponse> attempt)
    {
        if (StatusIfEnded is not null || attempt.StatusIfEnded is not { } status)
            return;
        if (status.StatusCode == StatusCode.OK)
            Channel.Retries.Throttle?.OnSuccess();
        End(status, attempt.GetTrailers());
    }

    Exception Ended(HttpCall<TRequest, TResponse> attempt)
    {
        TakeEnd(attempt);
        return EndedException();
    }
}
