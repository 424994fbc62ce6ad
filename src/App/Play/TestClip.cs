using System.ComponentModel;
using System.Diagnostics;
using Hexcast.App.Cli;

namespace Hexcast.App.Play;

/// <summary>
/// A clip that shows at a glance whether playback is right: motion, a running timecode, a tone that beeps.
/// </summary>
internal static class TestClip
{
    public const string Title = "Hexcast test clip";
    public const string Description = "24 s, 1280x720, 30 frames/s, with a running timecode and a tone";

    private const string Seconds = "24";

    /// <returns>The clip's path below <paramref name="folder"/>.</returns>
    public static async Task<string> MakeAsync(string folder, CancellationToken cancel)
    {
        var clip = Path.Combine(folder, "hexcast-test-clip.mp4");
        var start = new ProcessStartInfo("ffmpeg", Arguments(clip))
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using var ffmpeg = Start(start);
        ffmpeg.StandardInput.Close();
        try
        {
            var complaints = await ffmpeg.StandardError.ReadToEndAsync(cancel);
            await ffmpeg.WaitForExitAsync(cancel);
            return ffmpeg.ExitCode == 0 ? clip : throw new CliException(
                ExitCode.Failed, $"ffmpeg could not make the test clip:\n{complaints.TrimEnd()}");
        }
        finally
        {
            if (!ffmpeg.HasExited)
            {
                ffmpeg.Kill();
            }
        }
    }

    // testsrc2 moves and counts time and frames in its own font, so none has to be installed.
    private static string[] Arguments(string clip) =>
    [
        "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
        "-f", "lavfi", "-i", $"testsrc2=size=1280x720:rate=30:duration={Seconds}",
        "-f", "lavfi", "-i", $"sine=frequency=330:beep_factor=4:sample_rate=48000:duration={Seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-b:a", "128k", "-ac", "2",
        "-movflags", "+faststart", clip,
    ];

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new CliException(
                ExitCode.SetupMissing,
                "ffmpeg is not installed. ./hexcast play installs it; or: apt-get install ffmpeg",
                missing);
        }
    }
}
