namespace Hexcast.Media.Tests.Support;

/// <summary>Makes source clips with ffmpeg, each once a run.</summary>
public sealed class Clips : IDisposable
{
    private readonly SemaphoreSlim making = new(1);

    public string Folder { get; } = Directory.CreateTempSubdirectory("hexcast-clips-").FullName;

    // Name → arguments before the output. FROM(name) stands for another clip.
    private static readonly Dictionary<string, string[]> Recipes = new(StringComparer.Ordinal)
    {
        ["cfr25.mp4"] = [.. Video("25", 13), .. Tone(13), .. X264("-bf", "3", "-g", "75"), "-c:a", "aac"],
        ["film23976.mp4"] =
            [.. Video("24000/1001", 13), .. X264("-x264-params", "open-gop=1:keyint=48:bframes=3")],
        ["fast60.mp4"] = [.. Video("60", 13), .. X264("-g", "120")],
        ["vfr.mp4"] =
        [
            .. Video("25", 17), "-vf", "select='not(eq(mod(n,7),3))*not(between(n,160,250))'",
            "-fps_mode", "vfr", .. X264("-g", "50"),
        ],
        ["offset.ts"] = ["-i", "FROM(cfr25.mp4)", "-c", "copy", "-output_ts_offset", "95"],
        ["milliseconds.mkv"] = ["-i", "FROM(film23976.mp4)", "-c", "copy"],
        ["sound-first.mkv"] =
        [
            "-itsoffset", "0.4", "-i", "FROM(fast60.mp4)", .. Tone(13), "-map", "0:v", "-map", "1:a",
            "-c:v", "copy", "-c:a", "libvorbis",
        ],
        ["rotated.mp4"] = ["-i", "FROM(fast60.mp4)", "-c", "copy", "-metadata:s:v", "rotate=90"],
        ["odd.mkv"] = ["-f", "lavfi", "-i", "testsrc2=s=321x181:r=25:d=9", "-c:v", "ffv1"],
        ["pal.mpg"] =
        [
            "-f", "lavfi", "-i", "testsrc2=s=352x288:r=25:d=9,setsar=12/11", "-c:v", "mpeg2video", "-flags",
            "+ildct+ilme", "-field_order", "tt", "-vf", "setfield=tff", "-q:v", "5", "-bf", "2",
        ],
        ["mpeg4.avi"] = [.. Video("25", 9), .. Tone(9), "-c:v", "mpeg4", "-c:a", "mp3"],
        ["no-times.mpg"] = ["-i", "FROM(cfr25.mp4)", "-t", "9", "-c:v", "mpeg2video", "-c:a", "mp2"],
        ["h264.avi"] = ["-i", "FROM(cfr25.mp4)", "-c", "copy"],
        ["trimmed.mp4"] = ["-ss", "1.3", "-i", "FROM(cfr25.mp4)", "-c", "copy"],
        ["one-key.mp4"] = [.. Video("25", 25), .. X264("-g", "100000", "-sc_threshold", "0")],
        ["click.mp4"] =
        [
            .. Video("25", 3), "-f", "lavfi", "-i", "aevalsrc='if(between(t,1,1.05),sin(2*PI*1000*t),0)':s=44100:d=3",
            .. X264(), "-c:a", "aac",
        ],
        ["click.ts"] = ["-i", "FROM(click.mp4)", "-c", "copy", "-output_ts_offset", "20"],
        ["index-first.mp4"] = ["-i", "FROM(cfr25.mp4)", "-c", "copy", "-movflags", "faststart"],
        ["sound-only.mp4"] = [.. Tone(2), "-c:a", "aac"],
        ["cover.mp4"] =
        [
            .. Tone(2), "-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.04", "-map", "0:a", "-map", "1:v", "-c:a", "aac",
            "-c:v", "mjpeg", "-disposition:v:0", "attached_pic",
        ],
        ["single-frame.mp4"] = [.. Video("25", 1), "-frames:v", "1", .. X264()],
    };

    public async Task<string> Get(string name)
    {
        await making.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            return await Make(name);
        }
        finally
        {
            making.Release();
        }
    }

    private async Task<string> Make(string name)
    {
        var path = Path.Combine(Folder, name);
        if (File.Exists(path))
        {
            return path;
        }
        var arguments = new List<string> { "-v", "error", "-y" };
        foreach (var argument in Recipes[name])
        {
            arguments.Add(argument.StartsWith("FROM(", StringComparison.Ordinal)
                ? await Make(argument[5..^1])
                : argument);
        }
        await Tool.Run("ffmpeg", [.. arguments, path]);
        return path;
    }

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        making.Dispose();
    }

    private static string[] Video(string rate, int seconds) =>
        ["-f", "lavfi", "-i", $"testsrc2=s=320x180:r={rate}:d={seconds}"];

    private static string[] Tone(int seconds) => ["-f", "lavfi", "-i", $"sine=440:d={seconds}"];

    private static string[] X264(params string[] more) =>
        ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", .. more];
}
