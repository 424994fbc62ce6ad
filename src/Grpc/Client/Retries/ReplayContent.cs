using System.Net;

namespace Grpc.Net.Client.Retries;

/// <summary>The body of one attempt: all messages from the first, and then those that still come.</summary>
sealed class ReplayContent : HttpContent
{
    readonly CancellationTokenSource _ended = new();
    readonly RequestBuffer _buffer;
    readonly int _attempt;

    public ReplayContent(RequestBuffer buffer, int attempt)
    {
        _attempt = attempt;
        _buffer = buffer;
        Headers.ContentType = GrpcContentType.Value;
    }

    /// <summary>The attempt is over; its body must not wait for messages, nor for the server to take them.</summary>
    public void End() => _ended.Cancel();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        either.Token.ThrowIfCancellationRequested();
        var run = _buffer.StartRun(_attempt);
        try
        {
            await stream.FlushAsync(either.Token);
            for (var i = 0; await _buffer.GetAsync(run, i, either.Token) is { } frame; i++)
            {
                await stream.WriteAsync(frame, either.Token);
                await stream.FlushAsync(either.Token);
                _buffer.OnSent(run, i);
            }
        }
        catch (Exception) when (!_ended.IsCancellationRequested)
        {
            // Where the attempt itself has ended, the call says what comes of it: another one, or its end.
            _buffer.Break(run);
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
