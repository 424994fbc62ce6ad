using System.Net;

namespace Hexcast.Bench;

/// <summary>A body of any length out of one buffer, so that the client costs little more than the socket.</summary>
/// <param name="buffer">Sent again and again.</param>
/// <param name="bytes">Of the whole body.</param>
/// <param name="head">Comes first, and counts.</param>
internal sealed class RepeatedContent(byte[] buffer, long bytes, ReadOnlyMemory<byte> head = default) : HttpContent
{
    /// <summary>After each buffer, for a client that is no faster than its line.</summary>
    public TimeSpan Pause { get; init; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(head, cancellationToken);
        for (var left = bytes - head.Length; left > 0; left -= buffer.Length)
        {
            await stream.WriteAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
            if (Pause > TimeSpan.Zero)
            {
                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes;
        return true;
    }
}
