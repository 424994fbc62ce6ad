using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Hexcast.Harness;

/// <param name="Kind">video, audio …</param>
/// <param name="Frames">That were decoded.</param>
public sealed record DecodedStream(string Kind, int Frames);

/// <summary>Clips made by ffmpeg, and what ffprobe and ffmpeg say of what comes out.</summary>
public static class Clips
{
    public static async Task MakeAsync(string path, params string[] arguments) =>
        await RunAsync("ffmpeg", ["-nostdin", "-v", "error", "-y", .. arguments, path]);

    /// <summary>Moving test pattern with a running timecode, and a tone.</summary>
    public static Task MakeStandardAsync(
        string path, double seconds = 10, string size = "640x360", string rate = "30") =>
        MakeAsync(
            path,
            "-f", "lavfi", "-i", $"testsrc2=size={size}:rate={rate}:duration={seconds}",
            "-f", "lavfi", "-i", $"sine=frequency=440:sample_rate=48000:duration={seconds}",
            "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-shortest");

    /// <summary>Frames that a decoder really yields for the first video stream.</summary>
    public static async Task<int> CountFramesAsync(string input)
    {
        var (output, _) = await RunAsync(
            "ffprobe",
            ["-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames",
                "-of", "default=nokey=1:noprint_wrappers=1", input]);
        return int.Parse(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[0]);
    }

    /// <summary>All streams from end to end: how many frames a decoder yields of each, which must have nothing to say.
    /// </summary>
    public static async Task<IReadOnlyList<DecodedStream>> DecodeAsync(string input)
    {
        var (output, errors) = await RunAsync(
            "ffprobe",
            ["-v", "error", "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames",
                "-of", "json", input]);
        errors.ShouldBeEmpty(input);
        return [.. JsonNode.Parse(output)!["streams"]!.AsArray().Select(stream => new DecodedStream(
            (string)stream!["codec_type"]!, int.Parse((string?)stream["nb_read_frames"] ?? "0")))];
    }

    /// <summary>Decodes all picture and sound from end to end; answers what ffmpeg had to warn of.</summary>
    public static async Task<string> DecodeWarningsAsync(string input)
    {
        var (_, errors) = await RunAsync(
            "ffmpeg", ["-nostdin", "-v", "warning", "-i", input, "-map", "0:v", "-map", "0:a?", "-f", "null", "-"]);
        return errors;
    }

    public static async Task<(string Output, string Errors)> RunAsync(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', start.ArgumentList)}\n{await errors}");
        return (await output, await errors);
    }
}
