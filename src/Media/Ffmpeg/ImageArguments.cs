using Hexcast.Media.Planning;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Ffmpeg;

/// <summary>ffmpeg command lines that make still pictures.</summary>
public static class ImageArguments
{
    private const int PosterLongestSide = 1280;

    // Past the fade-in and the title card of most videos.
    private const double PosterPosition = 0.1;

    // mjpeg's scale, 2–31; lower is better.
    private const string PosterQuality = "3";

    // About 4 kB a picture of 160 pixels' width.
    private const string StoryboardQuality = "5";

    /// <summary>One JPEG from about a tenth into the video.</summary>
    public static IReadOnlyList<string> Poster(TranscodePlan plan, string inputPath, string outputPath)
    {
        var (width, height) = PosterSize(plan.Video[0].Width, plan.Video[0].Height);
        return
        [
            // mjpeg takes only a pixel format that the scaler calls deprecated, in a warning a frame.
            .. EncodeArguments.Preamble("error"), .. ProbeArguments.SafeInput, .. Seek(plan),
            "-i", ProbeArguments.InputUrl(inputPath),
            "-filter_complex", FormattableString.Invariant(
                $"[0:{plan.VideoStreamIndex}]scale={width}:{height}:out_range=pc,setsar=1,format=yuvj420p[p]"),
            "-map", "[p]", "-frames:v", "1", "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", PosterQuality,
            "-map_metadata", "-1", "-f", "image2", "-update", "1", "-y", ProbeArguments.InputUrl(outputPath),
        ];
    }

    /// <summary>
    /// The sheets of a storyboard, from a file that holds key frames at <paramref name="keyFrames"/> among others. Only
    /// key frames are decoded; a sheet is written as it fills, so that memory holds one.
    /// </summary>
    /// <param name="keyFrames">For each picture, which of the input's key frames it is; rising.</param>
    /// <param name="outputPattern">With <c>%d</c>, the number of a sheet from 0.</param>
    public static IReadOnlyList<string> Storyboard(
        StoryboardPlan storyboard, IReadOnlyList<int> keyFrames, string inputPath, string outputPattern) =>
    [
        .. EncodeArguments.Preamble("error"), .. ProbeArguments.SafeInput, "-skip_frame", "nokey", "-threads", "1",
        "-i", ProbeArguments.InputUrl(inputPath),
        // Where frames were lost there are fewer key frames than planned: the last picture then stands for the rest,
        // and there are as many as the index says.
        "-filter_complex", FormattableString.Invariant(
            $"[0:v]select='{string.Join('+', keyFrames.Select(k => $"eq(n,{k})"))}',")
            + FormattableString.Invariant(
                $"scale={storyboard.Width}:{storyboard.Height}:flags=area:out_range=pc,setsar=1,format=yuvj420p,")
            + FormattableString.Invariant(
                $"tpad=stop=-1:stop_mode=clone,trim=end_frame={storyboard.Pictures.Count},")
            + FormattableString.Invariant($"tile={storyboard.Columns}x{storyboard.Rows}[t]"),
        "-map", "[t]", "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", StoryboardQuality,
        "-map_metadata", "-1", "-f", "image2", "-start_number", "0", "-y", ProbeArguments.InputUrl(outputPattern),
    ];

    // The start of a GOP is a frame that exists, which a tenth of the duration need not be.
    private static string[] Seek(TranscodePlan plan)
    {
        var wanted = plan.OriginPts + (plan.EndPts - plan.OriginPts) * PosterPosition;
        var frame = plan.Chunks.SelectMany(c => c.Segments).SelectMany(s => s.GopStartPts)
            .LastOrDefault(p => p <= wanted, plan.Chunks[0].StartPts);
        return frame > plan.Chunks[0].StartPts
            ? ["-seek_timestamp", "1", "-ss", EncodeArguments.Seconds(plan.SourceTimeBase.FloorMicroseconds(frame))]
            : [];
    }

    private static (int Width, int Height) PosterSize(int width, int height)
    {
        var longest = Math.Max(width, height);
        return longest <= PosterLongestSide
            ? (width, height)
            : (Even(width), Even(height));

        int Even(int side) => Math.Max(2, (int)Math.Round((double)side * PosterLongestSide / longest / 2) * 2);
    }
}
