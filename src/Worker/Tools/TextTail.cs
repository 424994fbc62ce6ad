using System.Text;

namespace Hexcast.Worker.Tools;

/// <summary>Reads a stream to its end and keeps the last of it, in bounded memory.</summary>
internal static class TextTail
{
    public const int LimitBytes = 64 * 1024;

    public static async Task<string> ReadAsync(Stream stream)
    {
        var kept = new byte[2 * LimitBytes];
        var length = 0;
        // Ends when the tool has closed the pipe, which killing it does too.
        while (await stream.ReadAsync(kept.AsMemory(length), CancellationToken.None) is > 0 and var read)
        {
            length += read;
            if (length > LimitBytes)
            {
                kept.AsSpan(length - LimitBytes, LimitBytes).CopyTo(kept);
                length = LimitBytes;
            }
        }

        return Encoding.UTF8.GetString(kept, 0, length);
    }
}
