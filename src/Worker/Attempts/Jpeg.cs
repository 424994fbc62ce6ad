using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Attempts;

/// <summary>Pictures that a tool has made are shown to the world: a picture and nothing else.</summary>
internal static class Jpeg
{
    // ITU-T T.81, B.1.1.3: start of image, and the first byte of the next marker.
    private static ReadOnlySpan<byte> Start => [0xFF, 0xD8, 0xFF];

    /// <exception cref="AttemptFailedException">There is none, it is no picture, or too large a one.</exception>
    public static async Task<byte[]> ReadAsync(
        string path, int limitBytes, string errors, CancellationToken cancel)
    {
        var bytes = await UntrustedFile.ReadAsync(path, limitBytes, cancel);
        return bytes.AsSpan().StartsWith(Start)
            ? bytes
            : throw new AttemptFailedException(
                FailureCodes.OutputMismatch, $"ffmpeg made no {Path.GetFileName(path)}.", logTail: errors);
    }
}
