using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>Every kind of clip goes the whole way: what comes out has the source's frames and duration.</summary>
public sealed class ClipTests(SharedPlatform shared)
{
    public static TheoryData<string, string[]> Made() => new()
    {
        { "audio.mp4", [.. Picture("640x360", "30"), .. Tone(), .. Fast, "-shortest"] },
        { "silent.mp4", [.. Picture("640x360", "30"), .. Fast] },
        { "portrait.mp4", [.. Picture("360x640", "30"), .. Tone(), .. Fast, "-shortest"] },
        { "rotated.mp4", [.. Picture("640x360", "30"), .. Fast,
            "-metadata:s:v:0", "rotate=90"] },
        { "odd.mkv", [.. Picture("427x241", "25"), .. Tone(), "-c:v", "libx264", "-pix_fmt", "yuv444p", "-shortest"] },
        { "ntsc-film.mp4", [.. Picture("640x360", "24000/1001"), .. Tone(), "-c:v", "libx264", "-shortest"] },
        { "sixty.mp4", [.. Picture("640x360", "60"), .. Tone(), .. Fast, "-shortest"] },
        { "variable.mkv", [.. Picture("640x360", "30"), .. Tone(), "-vf",
            "select='not(eq(mod(n,7),3))*not(between(n,60,110))'", "-fps_mode", "passthrough",
            "-c:v", "libx264", "-shortest"] },
        { "stream.ts", [.. Picture("640x360", "25"), .. Tone(), "-c:v", "libx264", "-bf", "3", "-shortest"] },
        { "tiny.webm", [.. Picture("160x120", "15"), .. Tone(), "-c:v", "libvpx", "-c:a", "libopus", "-shortest"] },
        { "still.mp4", ["-f", "lavfi", "-i", "color=c=navy:size=320x240:rate=25:duration=0.04", "-c:v", "libx264"] },
    };

    [Theory]
    [MemberData(nameof(Made))]
    public async Task A_clip_comes_out_with_the_frames_and_the_duration_that_went_in(string name, string[] arguments)
    {
        var file = shared.File(name);
        await Clips.MakeAsync(file, arguments);
        await CheckAsync(file);
    }

    [Theory]
    [InlineData("asl-book.mkv")]
    [InlineData("car-detection.mp4")]
    [InlineData("one-by-one-person-detection.mp4")]
    public async Task Real_footage_comes_out_whole(string name)
    {
        var file = Samples.Find(name);
        Assert.SkipWhen(file is null, $"{name} is not on this machine (folder shared/media beside the checkout).");
        await CheckAsync(file!);
    }

    [Fact]
    public async Task Text_in_a_source_becomes_a_text_track_and_goes_with_the_media()
    {
        var text = shared.File("text.srt");
        await File.WriteAllTextAsync(text, "1\n00:00:01,000 --> 00:00:03,000\nHello <script>x</script>\n");
        var file = shared.File("text.mkv");
        await Clips.MakeAsync(
            file,
            ["-i", text, .. Picture("320x180", "25"), "-map", "1", "-map", "0", .. Fast, "-c:s", "srt",
                "-metadata:s:s:0", "language=fre"]);
        var media = await CheckAsync(file);
        var (id, track) = ((string)media["media_id"]!, media["subtitles"]![0]!);
        ((string)track["language"]!).ShouldBe("fr");
        ((string)track["label"]!).ShouldBe("French");
        var address = $"/play/{id}/{(string)media["version"]!}/{(string)track["id"]!}/subtitles.vtt";
        (await shared.Http.GetStringAsync(address))
            .ShouldBe("WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nHello x\n");

        using var gone = await shared.Http.DeleteAsync($"/v1/media/{id}");
        gone.EnsureSuccessStatusCode();
        await Wait.ForAsync(
            () => Task.FromResult(!Directory.Exists(shared.File($"data/objects/media/{id}"))), TimeSpan.FromMinutes(1),
            () => "the version's objects are still there");
    }

    private async Task<JsonObject> CheckAsync(string file)
    {
        var id = await shared.Api.UploadAsync(file);
        var media = await shared.Api.WaitForAsync(id, "ready");
        var hls = shared.Url($"/play/{id}/master.m3u8");
        var dash = shared.Url($"/play/{id}/manifest.mpd");

        var frames = await Clips.CountFramesAsync(file);
        ((int)media["source"]!["frames"]!).ShouldBe(frames);
        (await Clips.CountFramesAsync(hls)).ShouldBe(frames);
        (await Clips.CountFramesAsync(dash)).ShouldBe(frames);
        (await Clips.DecodeWarningsAsync(hls)).Split('\n')
            // ffmpeg reads a playlist of subtitles only where it is asked to.
            .ShouldAllBe(line => line.Length == 0 || line.Contains("support the subtitle", StringComparison.Ordinal));
        (await Clips.DecodeWarningsAsync(dash)).ShouldBeEmpty();

        var source = media["source"]!;
        foreach (var rendition in media["renditions"]!.AsArray().Where(r => (string)r!["kind"]! == "video"))
        {
            Math.Min((int)rendition!["width"]!, (int)rendition["height"]!)
                .ShouldBeLessThanOrEqualTo(Math.Min((int)source["width"]!, (int)source["height"]!) + 1);
            ((double)rendition["duration_seconds"]!)
                .ShouldBe((double)source["duration_seconds"]!, tolerance: 0.15, rendition.ToJsonString());
        }

        ((bool)media["storyboard"]!).ShouldBeTrue();
        var cues = (await shared.Http.GetStringAsync($"/play/{id}/storyboard.vtt")).Split("\n\n")[1..];
        cues.Length.ShouldBeInRange(1, (int)Math.Ceiling((double)source["duration_seconds"]! / 2), "one every 2 s");
        var sheet = cues[^1].Split('\n')[1];
        var picture = await shared.Http.GetByteArrayAsync($"/play/{id}/{sheet[..sheet.IndexOf('#')]}");
        picture[..3].ShouldBe([0xFF, 0xD8, 0xFF]);
        picture[^2..].ShouldBe([0xFF, 0xD9]);
        return media;
    }

    private static string[] Fast => ["-c:v", "libx264", "-preset", "ultrafast"];

    private static string[] Picture(string size, string rate) =>
        ["-f", "lavfi", "-i", $"testsrc2=size={size}:rate={rate}:duration=9.3"];

    private static string[] Tone() => ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=9.3"];
}
