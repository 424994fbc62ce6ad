using System.Text;
using Hexcast.Platform.Errors;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker;

/// <summary>What every attempt works with.</summary>
internal sealed record Workbench(ScratchFolder Scratch, ToolRunner Tools, StoredObjects Objects, TimeProvider Clock)
{
    // As ffmpeg names them, and as placement does.
    private static readonly Dictionary<string, string> Codecs = new(StringComparer.Ordinal)
    {
        ["libx264"] = "h264",
        ["libx265"] = "hevc",
        ["libsvtav1"] = "av1",
        ["libaom-av1"] = "av1",
        ["libvpx-vp9"] = "vp9",
        ["aac"] = "aac",
        ["libopus"] = "opus",
    };

    private const int OutputLimitBytes = 256 * 1024;

    /// <summary>Proves before the first task that the tools run where they will run; what ffmpeg can encode.</summary>
    /// <exception cref="HexcastException">Says what is missing and what to do.</exception>
    public async Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancel)
    {
        await CheckAsync("ffprobe", "-version", cancel);
        // " V....D libx264              libx264 H.264 / AVC … (codec h264)"
        var encoders = await CheckAsync("ffmpeg", "-encoders", cancel);
        return [.. encoders.Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1) ?? "")
            .Where(Codecs.ContainsKey).Select(encoder => Codecs[encoder]).Distinct(StringComparer.Ordinal).Order()];
    }

    private async Task<string> CheckAsync(string program, string what, CancellationToken cancel)
    {
        var words = new StringBuilder();
        try
        {
            await Tools.RunAsync(
                new ToolCommand
                {
                    Program = program, Arguments = _ => ["-hide_banner", "-loglevel", "error", what],
                },
                ToolOutput.Capture(words, OutputLimitBytes), cancel);
            return words.ToString();
        }
        catch (AttemptFailedException failed)
        {
            var code = failed.Code == FailureCodes.SandboxUnavailable
                ? ErrorCodes.SandboxUnavailable
                : ErrorCodes.ToolMissing;
            throw new HexcastException(code, failed.Message, failed);
        }
    }
}
