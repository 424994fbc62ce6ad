using Hexcast.Media.Presets;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Planning;

/// <summary>Which renditions a source gets: the preset's rungs up to its own size, highest first.</summary>
internal static class Ladder
{
    // "Above 30": 30000/1001 and a camera's 30.02 are not.
    private const double HighFrameRate = 31;
    private const double HighFrameRateBitrateFactor = 1.5;

    public static IReadOnlyList<VideoRendition> Renditions(VideoStream source, double frameRate, Preset preset)
    {
        var shortSide = Math.Min(source.Width, source.Height);
        var rungs = preset.Video.Where(r => r.Height <= shortSide).OrderByDescending(r => r.Height).ToList();
        return rungs.Count > 0
            ? [.. rungs.Select(r => Rendition(r, r.Height))]
            : [Rendition(preset.Video.MinBy(r => r.Height)!, EvenFloor(shortSide))];

        VideoRendition Rendition(VideoRung rung, int size)
        {
            // The even length nearest to the aspect ratio, but never a pixel more than the source has.
            int Scaled(int side) => side == shortSide
                ? size
                : Math.Min(EvenFloor(side), (int)Math.Round((double)side * size / shortSide / 2) * 2);

            int width = Scaled(source.Width), height = Scaled(source.Height);
            var ceiling = frameRate > HighFrameRate
                ? (int)(rung.MaxBitrateKbps * HighFrameRateBitrateFactor) : rung.MaxBitrateKbps;
            return new VideoRendition
            {
                Id = $"h264-{size}",
                Width = width,
                Height = height,
                MaxBitrateKbps = ceiling,
                Crf = rung.Crf,
                X264Preset = rung.X264Preset,
                Profile = rung.Profile,
                Level = H264Levels.For(width, height, frameRate, ceiling),
            };
        }
    }

    private static int EvenFloor(int side) => side & ~1;
}
