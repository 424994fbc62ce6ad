using System.Text.Json.Nodes;

namespace Hexcast.Bench;

/// <summary>
/// The main job against the ladder by one ffmpeg command, in turn. One series gives two figures: `ready`, the wall time
/// from an upload's first byte until every rendition is there, and `playable`, until a browser can start.
/// </summary>
internal static class PipelineBenchmark
{
    private const int ClipSeconds = 60, ShortClipSeconds = 2;

    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await BenchClip.MakeAsync(
            clip, extent.Of(ClipSeconds, ShortClipSeconds), extent.Of("1920x1080", "640x360"));
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        List<Pair> ready = [], playable = [];
        var clock = TimeProvider.System;
        JsonObject media = [];
        for (var i = 0; i < extent.Pairs; i++)
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
                $"pair {i + 1} of {extent.Pairs}: " +
                $"playable {toPlayable:0.0} s, ready {toReady:0.0} s, ffmpeg {peer:0.0} s");
        }

        string[] notes = [
            $"{Environment.ProcessorCount} cores; clip: {extent.Of(ClipSeconds, ShortClipSeconds)} s of " +
                $"{extent.Of("1080p", "360p")} at 30 frames/s, 16 Mbit/s, a tone",
            $"bytes of all renditions, ours over ffmpeg's: {SizeRatio(media, $"{folder.Path}/peer-0"):0.000}",
        ];
        const string peerName = "one ffmpeg command for the same ladder";
        return [
            new Figures("pipeline", "upload to ready", peerName, "s", Aim.AtMost(1.05), ready, notes),
            new Figures("first-play", "upload to playable", peerName, "s", Aim.AtMost(0.1), playable, notes),
        ];
    }

    private static double SizeRatio(JsonObject media, string peerFolder) =>
        (double)media["renditions"]!.AsArray().Sum(r => (long)r!["size_bytes"]!)
        / Directory.GetFiles(peerFolder, "*.m4s").Sum(f => new FileInfo(f).Length);
}
