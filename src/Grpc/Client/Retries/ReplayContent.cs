using System.Net;

namespace Grpc.Net.Client.Retries;

/// <summary>The body of one attempt: all messages from the first, and then those that still come.</summary>
sealed class ReplayContent : HttpContent
{
    readonly RequestBuffer _buffer;
    readonly int _attempt;

    public ReplayContent(RequestBuffer buffer, int attempt)
    {
        _attempt = attempt;
        _buffer = buffer;
        Headers.ContentType = GrpcContentType.Value;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            await stream.FlushAsync(cancellationToken);
            for (var i = 0; await _buffer.GetAsync(i, cancellationToken) is { } frame; i++)
            {
                await stream.WriteAsync(frame, cancellationToken);
                await stream.FlushAsync(cancellationToken);
                _buffer.OnSent(i);
            }
        }
        catch
        {
            _buffer.Break(_attempt);
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
