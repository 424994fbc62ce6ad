using System.Diagnostics;

namespace Hexcast.Worker.Tests;

/// <summary>Sources that ffmpeg makes, once a run of the tests.</summary>
internal static class Clips
{
    private static readonly string Folder = Directory.CreateTempSubdirectory("hexcast-clips-").FullName;
    private static readonly Lock Turn = new();

    static Clips() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Folder, recursive: true);

    /// <summary>10 s, 30 frames/s, stereo, a key frame every second, B-frames.</summary>
    public static string WithSound => Make("sound.mp4",
        "-f lavfi -i testsrc2=size=320x240:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 10 " +
        "-c:v libx264 -preset veryfast -g 30 -pix_fmt yuv420p -c:a aac -ac 2");

    public static string Silent => Make("silent.mp4",
        "-f lavfi -i testsrc2=size=320x240:rate=25 -t 6 -c:v libx264 -preset veryfast -g 50 -pix_fmt yuv420p");

    /// <summary>Long and costly enough that it is still being encoded whenever a test looks.</summary>
    public static string Endless => Make("endless.mp4", $"-stream_loop 50 -i {FullHd} -c copy");

    private static string FullHd => Make("fullhd.mp4",
        "-f lavfi -i testsrc2=size=1920x1080:rate=30 -t 4 -c:v libx264 -preset ultrafast -crf 40 -g 60 " +
        "-pix_fmt yuv420p");

    public static string Upright => Make("upright.mp4",
        "-f lavfi -i testsrc2=size=240x426:rate=30000/1001 -t 5 -c:v libx264 -preset veryfast -pix_fmt yuv420p");

    public static string OddSize => Make("odd.mkv",
        "-f lavfi -i testsrc2=size=321x243:rate=60 -t 5 -c:v libx264 -preset veryfast -pix_fmt yuv444p");

    /// <summary>Every third frame of the second half is missing.</summary>
    public static string VariableRate => Make("vfr.mp4",
        "-f lavfi -i testsrc2=size=320x240:rate=30 -t 10 -vf select='lt(t,5)+mod(n,3)' -fps_mode vfr " +
        "-c:v libx264 -preset veryfast -g 45 -pix_fmt yuv420p");

    public static string TransportStream => Make("stream.ts",
        "-f lavfi -i testsrc2=size=320x240:rate=24000/1001 -f lavfi -i sine=sample_rate=44100 -t 10 " +
        "-c:v libx264 -preset veryfast -g 48 -pix_fmt yuv420p -c:a aac -muxdelay 0.7");

    /// <summary>AVI gives B-frames no time of presentation.</summary>
    public static string WithoutTimes => Make("old.avi",
        "-f lavfi -i testsrc2=size=320x240:rate=25 -t 6 -c:v mpeg4 -bf 2 -g 50 -q:v 5");

    public static string SingleFrame => Make("single.mp4",
        "-f lavfi -i testsrc2=size=320x240:rate=25 -frames:v 1 -c:v libx264 -pix_fmt yuv420p");

    /// <summary>Red for 4 s, then green, then blue.</summary>
    public static string Colours => Make("colours.mp4",
        "-f lavfi -i color=red:s=320x180:r=25:d=4 -f lavfi -i color=green:s=320x180:r=25:d=4 " +
        "-f lavfi -i color=blue:s=320x180:r=25:d=4 -filter_complex [0][1][2]concat=n=3 " +
        "-c:v libx264 -preset veryfast -g 1000 -sc_threshold 0 -pix_fmt yuv420p");

    /// <summary>6 s without sound, with the text as three tracks: German, forced English, English.</summary>
    public static string Subtitled(string container, string subRip, string more = "")
    {
        var text = Path.Combine(Folder, $"{Guid.NewGuid():N}.srt");
        File.WriteAllText(text, subRip);
        var codecs = container == "mp4" ? "-c:s mov_text" : "-c:s:0 srt -c:s:1 ass -c:s:2 webvtt";
        return Make($"{Guid.NewGuid():N}.{container}",
            $"-i {Silent} -i {text} -i {text} -i {text} -map 0 -map 1 -map 2 -map 3 -c:v copy {codecs} " +
            "-metadata:s:s:0 language=ger -metadata:s:s:1 language=eng -metadata:s:s:2 language=eng " +
            $"-metadata:s:s:1 title=Signs -metadata:s:s:1 handler_name=Signs -disposition:s:1 forced {more}");
    }

    public static async Task<byte[]> RunAsync(string program, string arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var tool = Process.Start(info)!;
        using var output = new MemoryStream();
        await tool.StandardOutput.BaseStream.CopyToAsync(output, WorkerFixture.Cancel);
        await tool.WaitForExitAsync(WorkerFixture.Cancel);
        tool.ExitCode.ShouldBe(0, arguments);
        return output.ToArray();
    }

    public static string Make(string name, string arguments)
    {
        var path = Path.Combine(Folder, name);
        lock (Turn)
        {
            if (!File.Exists(path))
            {
                var info = new ProcessStartInfo("ffmpeg", $"-v error -y {arguments} {path}")
                {
                    UseShellExecute = false,
                    RedirectStandardError = true,
                };
                using var ffmpeg = Process.Start(info)!;
                var errors = ffmpeg.StandardError.ReadToEnd();
                ffmpeg.WaitForExit();
                ffmpeg.ExitCode.ShouldBe(0, errors);
            }
        }

        return path;
    }
}
