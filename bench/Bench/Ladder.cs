namespace Hexcast.Bench;

/// <summary>
/// The peer: the best single ffmpeg command for the default ladder. One decode, each size scaled from the next larger
/// one (faster here than all from the source), the encoder settings of presets/ladder_h264_aac.yaml, fragmented MP4 cut
/// into four-second segments on disk, with their playlists.
/// </summary>
internal static class Ladder
{
    private static readonly (int Height, int MaxKbps, int Crf, string Profile)[] Rungs =
    [
        (1080, 5000, 23, "high"), (720, 2800, 23, "high"), (480, 1400, 23, "high"), (360, 800, 23, "main"),
        (240, 400, 24, "main"),
    ];

    public static async Task<double> EncodeAsync(string clip, string folder)
    {
        Directory.CreateDirectory(folder);
        var graph = string.Concat(Rungs.Select((rung, i) =>
            (i == 0 ? "[0:v]" : $",split[v{i - 1}][s{i}];[s{i}]")
            + $"scale=-2:{rung.Height}:flags=bicubic,format=yuv420p"));
        List<string> arguments = [
            "-nostdin", "-v", "error", "-y", "-i", clip, "-filter_complex", $"{graph}[v{Rungs.Length - 1}]"];
        for (var i = 0; i < Rungs.Length; i++)
        {
            arguments.AddRange([
                "-map", $"[v{i}]", $"-crf:v:{i}", $"{Rungs[i].Crf}", $"-profile:v:{i}", Rungs[i].Profile,
                $"-maxrate:v:{i}", $"{Rungs[i].MaxKbps}k", $"-bufsize:v:{i}", $"{Rungs[i].MaxKbps * 2}k"]);
        }

        arguments.AddRange([
            "-map", "0:a?", "-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2",
            "-c:v", "libx264", "-preset", "veryfast", "-sc_threshold", "0",
            "-force_key_frames", "expr:gte(t,n_forced*2)",
            "-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
            "-hls_fmp4_init_filename", "init-%v.mp4", "-master_pl_name", "master.m3u8",
            "-var_stream_map", string.Join(' ', [
                .. Rungs.Select((_, i) => $"v:{i},agroup:a"), "a:0,agroup:a"]),
            "-hls_segment_filename", Path.Combine(folder, "%v-%d.m4s"), Path.Combine(folder, "%v.m3u8")]);
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        await Clips.RunAsync("ffmpeg", arguments);
        return clock.GetElapsedTime(start).TotalSeconds;
    }
}
