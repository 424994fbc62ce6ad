using System.Globalization;
using System.Runtime.InteropServices;
using Hexcast.Media.Ffmpeg;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Planning;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests;

/// <summary>
/// Real ffmpeg encodes each kind of source in chunks, and real ffmpeg reads what our writers make of it.
/// </summary>
public sealed class EndToEndTests(Clips clips) : IClassFixture<Clips>
{
    public static TheoryData<string> Sources =>
    [
        "cfr25.mp4", "film23976.mp4", "fast60.mp4", "vfr.mp4", "offset.ts", "milliseconds.mkv", "sound-first.mkv",
        "rotated.mp4", "odd.mkv", "pal.mpg", "mpeg4.avi", "trimmed.mp4", "one-key.mp4", "single-frame.mp4",
        "no-times.mpg", "h264.avi",
    ];

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task Joined_chunks_hold_exactly_the_frames_of_the_source_at_their_times(string name)
    {
        var source = await clips.Get(name);
        var result = await LocalTranscode.Run(source, Directory.CreateDirectory(source + ".out").FullName);

        var plan = result.Plan;
        var expected = result.Packets.Pts.Select(p => plan.ToVideoTicks(p) / (double)plan.VideoTimescale).ToList();
        foreach (var rendition in plan.Video)
        {
            var frames = await FrameTimes(Path.Combine(result.Folder, "v1", rendition.Id, "index.m3u8"));
            frames.Count.ShouldBe(expected.Count);
            var shift = frames[0] - expected[0];
            shift.ShouldBe(0, 0.002, $"{rendition.Id} is shifted");
            frames.Zip(expected).Max(p => Math.Abs(p.First - p.Second)).ShouldBeLessThan(0.002);
        }
        await ShouldReadInSilence(Path.Combine(result.Folder, "master.m3u8"));
        if (plan.TotalFrames > 1)
        {
            // ffmpeg's DASH reader cannot tell the pixel format from one frame, and says so, for any writer's DASH.
            await ShouldReadInSilence(Path.Combine(result.Folder, "manifest.mpd"));
        }
    }

    [Theory]
    [InlineData("cfr25.mp4")]
    [InlineData("sound-first.mkv")]
    [InlineData("mpeg4.avi")]
    public async Task Sound_starts_at_timeline_zero_and_lasts_as_long_as_the_video(string name)
    {
        var source = await clips.Get(name);
        var result = await LocalTranscode.Run(source, Directory.CreateDirectory(source + ".sound").FullName);

        var sound = result.Index.Renditions.Single(r => r.Kind == TrackKind.Audio);
        sound.Segments[0].StartTicks.ShouldBe(0);
        var last = sound.Segments[^1];
        ((last.StartTicks + last.DurationTicks) / 48_000.0).ShouldBe(result.Plan.DurationSeconds, 0.05);
        sound.Segments.Select(s => s.Number).ShouldBe(Enumerable.Range(1, sound.Segments.Count));
        // Cut where the video is cut, to a frame of sound.
        sound.Segments.ShouldAllBe(s => (s.StartTicks / 48_000.0) - (s.Number - 1) * 4 < 1024 / 48_000.0);
        if (name == "sound-first.mkv")
        {
            // The picture comes 0.4 s after the sound, as in the source.
            (result.Index.Renditions[0].Segments[0].StartTicks / (double)result.Plan.VideoTimescale)
                .ShouldBe(0.4, 0.01);
        }
    }

    [Theory]
    [InlineData("click.mp4")]
    [InlineData("click.ts")]
    public async Task What_is_heard_is_heard_when_it_is_in_the_source(string name)
    {
        var source = await clips.Get(name);
        var result = await LocalTranscode.Run(source, Directory.CreateDirectory(source + ".click").FullName);
        var raw = Path.Combine(result.Folder, "heard.raw");
        await Tool.Run("ffmpeg",
        [
            "-v", "error", "-i", Path.Combine(result.Folder, "v1", result.Plan.Audio!.Id, "index.m3u8"),
            "-ac", "1", "-f", "s16le", raw,
        ]);

        var bytes = await File.ReadAllBytesAsync(raw, TestContext.Current.CancellationToken);
        var samples = MemoryMarshal.Cast<byte, short>(bytes);
        var first = 0;
        while (Math.Abs((int)samples[first]) < 8000)
        {
            first++;
        }
        // The source's own click is a second after its first frame.
        var picture = (result.Packets.Pts[0] - result.Plan.OriginPts) * result.Plan.SourceTimeBase.ToDouble();
        (first / 48_000.0).ShouldBe(picture + 1, 0.005);
    }

    [Fact]
    public async Task Without_seeking_a_chunk_is_the_same()
    {
        var source = await clips.Get("offset.ts");
        var sought = await LocalTranscode.Run(source, Directory.CreateDirectory(source + ".seek").FullName);
        var folder = Directory.CreateDirectory(source + ".whole").FullName;
        var whole = await LocalTranscode.Run(source, folder, seek: false);

        whole.Index.Renditions.SelectMany(r => r.Segments)
            .ShouldBe(sought.Index.Renditions.SelectMany(r => r.Segments));
    }

    [Theory]
    [InlineData("cfr25.mp4", 320, 180)]
    [InlineData("rotated.mp4", 180, 320)]
    [InlineData("single-frame.mp4", 320, 180)]
    [InlineData("offset.ts", 320, 180)]
    public async Task A_poster_is_one_picture_of_the_shape_of_the_video(string name, int width, int height)
    {
        var source = await clips.Get(name);
        var (probe, packets) = await LocalTranscode.ProbeFile(source);
        var plan = TranscodePlan.Build(probe, packets, LocalTranscode.Small);
        var poster = source + ".jpg";
        await Tool.Run("ffmpeg", ImageArguments.Poster(plan, source, poster));

        var shape = await Tool.Run("ffprobe",
            ["-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", poster]);
        shape.Trim().ShouldBe($"mjpeg,{width},{height}");
    }

    // Copies first, which shows every flaw of the timestamps, then decodes.
    private static async Task ShouldReadInSilence(string manifest)
    {
        string[][] ways = [["-map", "0", "-c", "copy"], ["-map", "0"]];
        foreach (var way in ways)
        {
            var read = await Tool.Try("ffmpeg",
                ["-v", "warning", "-nostdin", "-i", manifest, .. way, "-f", "null", "-"]);
            read.ExitCode.ShouldBe(0, read.Errors);
            read.Errors.ShouldBeEmpty();
        }
    }

    private static async Task<List<double>> FrameTimes(string playlist)
    {
        var text = await Tool.Run("ffprobe",
        [
            "-v", "warning", "-i", playlist, "-select_streams", "v:0",
            "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0",
        ]);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => double.Parse(l.TrimEnd(','), CultureInfo.InvariantCulture))];
    }
}
