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
