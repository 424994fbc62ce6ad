using System.Globalization;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests;

/// <summary>Real ffmpeg encodes each kind of source in chunks, and real ffmpeg reads what our writers make of it.</summary>
public sealed class EndToEndTests(Clips clips) : IClassFixture<Clips>
{
    public static TheoryData<string> Sources =>
    [
        "cfr25.mp4", "film23976.mp4", "fast60.mp4", "vfr.mp4", "offset.ts", "milliseconds.mkv", "sound-first.mkv",
        "rotated.mp4", "odd.mkv", "pal.mpg", "mpeg4.avi", "trimmed.mp4", "one-key.mp4", "single-frame.mp4",
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
