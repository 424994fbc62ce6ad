using System.Text.Json.Nodes;

namespace Hexcast.Bench;

/// <summary>
/// The main job against the ladder by one ffmpeg command, in turn. One series gives two figures: `ready`, the wall time
/// from an upload's first byte until every rendition is there, and `playable`, until a browser can start.
/// </summary>
internal static class PipelineBenchmark
{
    private const int ClipSeconds = 60;

    public static async Task<IReadOnlyList<Figures>> RunAsync(int pairs)
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await MakeClipAsync(clip);
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        List<Pair> ready = [], playable = [];
        var clock = TimeProvider.System;
        JsonObject media = [];
        for (var i = 0; i < pairs; i++)
        {
            var start = clock.GetTimestamp();
            var id = await platform.Api.UploadAsync(clip, patchBytes: 64 << 20);
            await platform.Api.WaitForAsync(id, "playable", "ready");
            var toPlayable = clock.GetElapsedTime(start).TotalSeconds;
            media = await platform.Api.WaitForAsync(id, "ready");
            var toReady = clock.GetElapsedTime(start).TotalSeconds;
            var peer = await Ladder.EncodeAsync(clip, Path.Combine(folder.Path, $"peer-{i}"));
            playable.Add(new Pair(toPlayable, peer));
            ready.Add(new Pair(toReady, peer));
            Console.Error.WriteLine(
                $"pair {i + 1} of {pairs}: playable {toPlayable:0.0} s, ready {toReady:0.0} s, ffmpeg {peer:0.0} s");
        }

        string[] notes = [
            $"{Environment.ProcessorCount} cores; clip: {ClipSeconds} s of 1080p at 30 frames/s, 16 Mbit/s, a tone",
            $"bytes of all renditions, ours over ffmpeg's: {SizeRatio(media, $"{folder.Path}/peer-0"):0.000}",
        ];
        const string peerName = "one ffmpeg command for the same ladder";
        return [
            new Figures("pipeline", "upload to ready", peerName, "s", AimAtMost: 1.05, ready, notes),
            new Figures("first-play", "upload to playable", peerName, "s", AimAtMost: 0.1, playable, notes),
        ];
    }

    private static double SizeRatio(JsonObject media, string peerFolder) =>
        (double)media["renditions"]!.AsArray().Sum(r => (long)r!["size_bytes"]!)
        / Directory.GetFiles(peerFolder, "*.m4s").Sum(f => new FileInfo(f).Length);

    // A little grain over a moving picture, at the bit rate of a camera's file: nearer to footage than a test pattern.
    private static Task MakeClipAsync(string path) => Clips.MakeAsync(
        path,
        "-f", "lavfi", "-i", $"testsrc2=size=1920x1080:rate=30:duration={ClipSeconds}",
        "-f", "lavfi", "-i", $"sine=frequency=440:sample_rate=48000:duration={ClipSeconds}",
        "-vf", "noise=alls=3:allf=t",
        "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "16M", "-maxrate", "20M", "-bufsize", "20M", "-g", "60",
        "-c:a", "aac");
}
