using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Hexcast.Platform.Errors;
using Hexcast.Worker.Attempts;

namespace Hexcast.Worker.Tools;

/// <summary>Takes what a tool prints, up to a named limit, and says when that means headway.</summary>
internal delegate Task OutputReader(Stream output, StallWatch watch, CancellationToken cancel);

internal static class ToolOutput
{
    private const int BufferBytes = 64 * 1024;
    private const int LineLimitBytes = 4096;

    /// <summary>Nothing is expected; what comes is dropped and is no headway.</summary>
    public static async Task Ignore(Stream output, StallWatch watch, CancellationToken cancel) =>
        await output.CopyToAsync(Stream.Null, cancel);

    /// <summary>The whole text, for tools whose output is small.</summary>
    public static OutputReader Capture(StringBuilder text, int limitBytes) => async (output, watch, cancel) =>
    {
        using var bytes = new MemoryStream();
        await CopyAsync(output, bytes, limitBytes, watch, cancel);
        text.Append(Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length));
    };

    /// <summary>To a file, for tables with a line a packet.</summary>
    public static OutputReader ToFile(string path, long limitBytes) => async (output, watch, cancel) =>
    {
        try
        {
            await using var file = new FileStream(
                path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
            await CopyAsync(output, file, limitBytes, watch, cancel);
        }
        catch (IOException full) when (StorageFaults.IsFull(full))
        {
            throw ScratchFolder.Full(full);
        }
    };

    /// <summary>ffmpeg's <c>-progress</c>, key=value lines; headway is another frame or out_time_us.</summary>
    public static OutputReader Progress(Action<EncoderProgress> tell) => async (output, watch, cancel) =>
    {
        var last = default(EncoderProgress);
        var now = last;
        await foreach (var line in LinesAsync(output, cancel))
        {
            now = now.With(line);
            if (!line.StartsWith("progress=", StringComparison.Ordinal))
            {
                continue;
            }

            if (now.Frame != last.Frame || now.OutTimeMicroseconds != last.OutTimeMicroseconds)
            {
                watch.Headway();
                last = now;
            }

            tell(now);
        }
    };

    // StreamReader would keep a line that never ends.
    private static async IAsyncEnumerable<string> LinesAsync(
        Stream output, [EnumeratorCancellation] CancellationToken cancel)
    {
        var buffer = new byte[LineLimitBytes];
        var held = 0;
        while (await output.ReadAsync(buffer.AsMemory(held), cancel) is > 0 and var read)
        {
            held += read;
            var start = 0;
            while (buffer.AsSpan(start, held - start).IndexOf((byte)'\n') is >= 0 and var length)
            {
                yield return Encoding.ASCII.GetString(buffer, start, length);
                start += length + 1;
            }

            held -= start;
            buffer.AsSpan(start, held).CopyTo(buffer);
            if (held == buffer.Length)
            {
                throw TooLarge(LineLimitBytes);
            }
        }
    }

    private static async Task CopyAsync(
        Stream output, Stream target, long limitBytes, StallWatch watch, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long total = 0;
            while (await output.ReadAsync(buffer, cancel) is > 0 and var read)
            {
                total += read;
                if (total > limitBytes)
                {
                    throw TooLarge(limitBytes);
                }

                watch.Headway();
                await target.WriteAsync(buffer.AsMemory(0, read), cancel);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static AttemptFailedException TooLarge(long limitBytes) => new(
        FailureCodes.ToolOutputTooLarge, $"The tool printed over {limitBytes} bytes.", permanent: true);
}

/// <summary>Where ffmpeg says it is.</summary>
internal readonly record struct EncoderProgress(long Frame, long OutTimeMicroseconds)
{
    public EncoderProgress With(string line)
    {
        var at = line.IndexOf('=', StringComparison.Ordinal);
        if (at < 0)
        {
            return this;
        }

        var value = line.AsSpan(at + 1).Trim();
        return line.AsSpan(0, at) switch
        {
            "frame" when long.TryParse(value, out var frame) => this with { Frame = frame },
            // Below zero it stands for "nothing yet".
            "out_time_us" when long.TryParse(value, out var time) =>
                this with { OutTimeMicroseconds = Math.Max(0, time) },
            _ => this,
        };
    }
}
