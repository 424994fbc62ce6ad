using System.Globalization;
using System.Text;
using Hexcast.Media.Planning;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Ffmpeg;

/// <summary>
/// ffmpeg command lines that encode a part of a source to fragmented MP4, whose times are the version's timeline:
/// <code>
/// seek (1) → decode once (2) → trim to [start, end) of the source's ticks, shift to timeline zero (3)
///   → scale, ever smaller → x264 with key frames at the plan's times (4) → fMP4, a fragment a GOP (5)
/// </code>
/// </summary>
public static class EncodeArguments
{
    // ffmpeg finds an exact key frame where the container has an index. Elsewhere it lands on some packet before the
    // time asked for, which may be past the key frame that is needed: ask for an earlier one.
    private const long UnindexedSeekLeadMicroseconds = 1_000_000;

    // Fragments about this long come out while sound is encoded, so that segments follow soon.
    private const int AudioFragmentMicroseconds = 1_000_000;

    /// <summary>All renditions of one chunk from one decode.</summary>
    /// <param name="outputPath">Where each rendition goes, by its id: a pipe, or a file read as it grows.</param>
    /// <param name="seek">False decodes from the beginning: slow, but needs nothing of the container's index.</param>
    /// <param name="threads">For the decoder and for each encoder.</param>
    public static IReadOnlyList<string> Chunk(
        TranscodePlan plan, ChunkPlan chunk, string inputPath, Func<string, string> outputPath, bool seek, int threads)
    {
        var count = threads.ToString(CultureInfo.InvariantCulture);
        List<string> arguments = [.. Preamble(), "-threads", count, "-filter_complex_threads", count];
        arguments.AddRange(ProbeArguments.SafeInput);
        if (seek && SeekMicroseconds(plan, chunk) is { } at)
        {
            // (1) Without -seek_timestamp the time would count from the file's own start.
            arguments.AddRange(["-seek_timestamp", "1", "-noaccurate_seek", "-ss", Seconds(at)]);
        }
        arguments.AddRange(["-i", ProbeArguments.InputUrl(inputPath)]);
        arguments.AddRange(["-filter_complex", Filters(plan, chunk)]);

        for (var i = 0; i < plan.Video.Count; i++)
        {
            var rendition = plan.Video[i];
            arguments.AddRange(["-map", $"[v{i}]"]);
            arguments.AddRange(X264(plan, chunk, rendition, count));
            arguments.AddRange(FragmentedMp4(plan.VideoTimescale, "+frag_keyframe"));
            arguments.AddRange(["-f", "mp4", "-y", ProbeArguments.InputUrl(outputPath(rendition.Id))]);
        }
        return arguments;
    }

    /// <summary>
    /// All sound of the source: silence fills what is missing, from timeline zero to the end of the video.
    /// </summary>
    /// <exception cref="InvalidOperationException">The plan has no sound.</exception>
    public static IReadOnlyList<string> Audio(TranscodePlan plan, string inputPath, string outputPath)
    {
        var audio = plan.Audio ?? throw new InvalidOperationException("The plan has no sound.");
        var layout = audio.Channels == 1 ? "mono" : "stereo";
        var origin = plan.SourceTimeBase.FloorMicroseconds(plan.OriginPts);
        var filters = string.Create(CultureInfo.InvariantCulture,
            $"[0:{audio.StreamIndex}]asetpts=PTS-{Seconds(origin)}/TB,"
            + $"aresample={audio.SampleRateHz}:async=1:first_pts=0,"
            + $"aformat=sample_fmts=fltp:channel_layouts={layout},"
            + $"apad=whole_dur={plan.DurationSeconds:F6}[a0]");
        return
        [
            .. Preamble(), .. ProbeArguments.SafeInput, "-i", ProbeArguments.InputUrl(inputPath),
            "-filter_complex", filters, "-map", "[a0]",
            "-c:a", "aac", "-b:a", $"{audio.BitrateKbps}k", "-bitexact",
            .. FragmentedMp4(timescale: null, fragments: ""),
            "-frag_duration", AudioFragmentMicroseconds.ToString(CultureInfo.InvariantCulture),
            "-f", "mp4", "-y", ProbeArguments.InputUrl(outputPath),
        ];
    }

    internal static IReadOnlyList<string> Preamble(string logLevel = "warning") =>
    [
        "-hide_banner", "-nostdin", "-nostats", "-loglevel", logLevel, "-progress", "pipe:1", "-copyts",
    ];

    internal static string Seconds(long microseconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e6m:F6}");

    private static long? SeekMicroseconds(TranscodePlan plan, ChunkPlan chunk)
    {
        if (chunk.SeekPts is not { } key)
        {
            return null;
        }
        var indexed = plan.SourceFormat.StartsWith("mov,", StringComparison.Ordinal)
            || plan.SourceFormat.StartsWith("matroska", StringComparison.Ordinal);
        var at = plan.SourceTimeBase.FloorMicroseconds(key) - (indexed ? 0 : UnindexedSeekLeadMicroseconds);
        return at > plan.SourceTimeBase.FloorMicroseconds(plan.Chunks[0].StartPts) ? at : null;
    }

    private static string Filters(TranscodePlan plan, ChunkPlan chunk)
    {
        var graph = new StringBuilder();
        // (3) In whole ticks, so that the chunks join without losing or doubling a frame.
        graph.Append(CultureInfo.InvariantCulture, $"[0:{plan.VideoStreamIndex}]trim=start_pts={chunk.StartPts}");
        if (chunk.EndPts is { } end)
        {
            graph.Append(CultureInfo.InvariantCulture, $":end_pts={end}");
        }
        graph.Append(CultureInfo.InvariantCulture, $",setpts=PTS-({plan.OriginPts})");
        if (plan.Interlaced)
        {
            // A frame for a frame, never a frame for a field: the count stays the source's.
            graph.Append(",bwdif=mode=send_frame:deint=all");
        }
        // Each size from the next larger one: all from the source's takes half as much time again for scaling.
        for (var i = 0; i < plan.Video.Count; i++)
        {
            graph.Append(i == 0 ? "," : string.Create(CultureInfo.InvariantCulture, $",split[v{i - 1}][s{i}];[s{i}]"))
                .Append(CultureInfo.InvariantCulture, $"scale={plan.Video[i].Width}:{plan.Video[i].Height}")
                .Append(":flags=bicubic:out_range=tv,setsar=1,format=yuv420p");
        }
        return graph.Append(CultureInfo.InvariantCulture, $"[v{plan.Video.Count - 1}]").ToString();
    }

    private static IReadOnlyList<string> X264(
        TranscodePlan plan, ChunkPlan chunk, VideoRendition rendition, string threads) =>
    [
        "-c:v", "libx264", "-preset", rendition.X264Preset,
        "-crf", rendition.Crf.ToString(CultureInfo.InvariantCulture),
        "-maxrate", $"{rendition.MaxBitrateKbps}k",
        "-bufsize", $"{rendition.MaxBitrateKbps * H264Levels.BufferSeconds}k",
        // Each chunk may spend what is in the buffer once. Where the picture lies at the ceiling, one encoder for the
        // whole would have emptied it by then; half full, the chunks' bytes together come to its bytes.
        "-x264-params", chunk.Index == 0 ? "vbv-init=0.9" : "vbv-init=0.5",
        "-profile:v", rendition.Profile, "-level:v", rendition.Level, "-threads", threads,
        // Every frame as it comes: the default makes the rate constant and loses one at each joint.
        "-fps_mode", "passthrough", "-enc_time_base", $"1:{plan.VideoTimescale}",
        // (4) Key frames where the plan says, nowhere else, and no picture refers across them.
        "-g", "1000000", "-sc_threshold", "0", "-forced-idr", "1", "-flags:v", "+cgop",
        "-force_key_frames", KeyFrameTimes(plan, chunk),
    ];

    // ffmpeg rounds these to microseconds and takes the first frame at or after each: rounded down, that is the one.
    private static string KeyFrameTimes(TranscodePlan plan, ChunkPlan chunk) => string.Join(',',
        chunk.Segments.SelectMany(s => s.GopStartPts)
            .Select(p => Seconds(Math.Max(0, plan.SourceTimeBase.FloorMicroseconds(p - plan.OriginPts) - 1))));

    // (5) With frag_discont and without an edit list the fragments carry the real times, also negative decoding times.
    private static IReadOnlyList<string> FragmentedMp4(int? timescale, string fragments) =>
    [
        "-map_metadata", "-1", "-map_chapters", "-1", "-avoid_negative_ts", "disabled", "-use_editlist", "0",
        "-movflags", fragments + "+empty_moov+default_base_moof+frag_discont+skip_trailer",
        "-flush_packets", "1",
        .. timescale is { } ticks
            ? (string[])["-video_track_timescale", ticks.ToString(CultureInfo.InvariantCulture)] : [],
    ];
}
