using System.Text.Json.Nodes;

namespace Hexcast.Bench;

/// <summary>Wall time from an upload's first byte to `ready`, against the ladder by one ffmpeg command.</summary>
internal static class PipelineBenchmark
{
    public static Task<Figures> RunAsync(int pairs) => Pairs.RunAsync(
        pairs, "pipeline", "upload to ready", "ready", aimAtMost: 1.05);
}

/// <summary>Wall time from an upload's first byte to `playable`, against the whole ladder by one ffmpeg command.</summary>
internal static class FirstPlayBenchmark
{
    public static Task<Figures> RunAsync(int pairs) => Pairs.RunAsync(
        pairs, "first-play", "upload to playable", "playable", aimAtMost: 0.1);
}

internal static class Pairs
{
    private const int ClipSeconds = 60;

    public static async Task<Figures> RunAsync(int pairs, string name, string ours, string state, double aimAtMost)
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await MakeClipAsync(clip);
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        var results = new List<Pair>();
        var clock = TimeProvider.System;
        JsonObject media = [];
        for (var i = 0; i < pairs; i++)
        {
            var start = clock.GetTimestamp();
            var id = await platform.Api.UploadAsync(clip, patchBytes: 64 << 20);
            await platform.Api.WaitForAsync(id, state, "ready");
            var wall = clock.GetElapsedTime(start).TotalSeconds;
            media = await platform.Api.WaitForAsync(id, "ready");
            var peer = await Ladder.EncodeAsync(clip, Path.Combine(folder.Path, $"peer-{i}"));
            results.Add(new Pair(wall, peer));
            Console.Error.WriteLine($"pair {i + 1} of {pairs}: ours {wall:0.0} s, ffmpeg {peer:0.0} s");
        }

        var bytes = media["renditions"]!.AsArray().Sum(r => (long)r!["size_bytes"]!);
        var peerBytes = Directory.GetFiles(Path.Combine(folder.Path, "peer-0"), "*.m4s").Sum(f => new FileInfo(f).Length);
        return new Figures(name, ours, "one ffmpeg command for the same ladder", "s", aimAtMost, results, [
            $"{Environment.ProcessorCount} cores; clip: {ClipSeconds} s of 1080p at 30 frames/s with noise and motion, and a tone",
            $"bytes of all renditions, ours over ffmpeg's: {(double)bytes / peerBytes:0.000} " +
            $"({bytes / 1e6:0.0} MB, {peerBytes / 1e6:0.0} MB)",
        ]);
    }

    // Film grain over a moving picture: harder for an encoder than a test pattern alone, nearer to footage.
    private static Task MakeClipAsync(string path) => Clips.MakeAsync(
        path,
        "-f", "lavfi", "-i", $"testsrc2=size=1920x1080:rate=30:duration={ClipSeconds}",
        "-f", "lavfi", "-i", $"sine=frequency=440:sample_rate=48000:duration={ClipSeconds}",
        "-vf", "noise=alls=8:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-g", "60", "-c:a", "aac");
}
