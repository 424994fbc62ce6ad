using Hexcast.Media.Presets;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Tests.Support;

/// <summary>Sources that exist only as numbers.</summary>
internal static class Sources
{
    public static Preset Ladder { get; } = new()
    {
        Name = "ladder",
        Video =
        [
            new VideoRung { Height = 1080, MaxBitrateKbps = 5000 },
            new VideoRung { Height = 720, MaxBitrateKbps = 2800 },
            new VideoRung { Height = 480, MaxBitrateKbps = 1400 }, new VideoRung { Height = 360, MaxBitrateKbps = 800 },
            new VideoRung { Height = 240, MaxBitrateKbps = 400, Crf = 24.5, Profile = "main" },
        ],
    };

    public static SourceProbe Probe(
        int width, int height, Rational? timeBase = null, double? audioStart = null) => new()
        {
            FormatName = "mov,mp4,m4a,3gp,3g2,mj2",
            SizeBytes = 1,
            Video = new VideoStream
            {
                Index = 0,
                Codec = "h264",
                Width = width,
                Height = height,
                TimeBase = timeBase ?? new Rational(1, 12_800),
            },
            Audio = audioStart is { } start
            ? new AudioStream { Index = 1, Codec = "aac", SampleRateHz = 44_100, Channels = 2, StartSeconds = start }
            : null,
        };

    /// <summary>A frame every so many ticks, a key frame every so many frames.</summary>
    public static PacketTable Frames(int count, long ticks = 512, int keyEvery = 50, long first = 0)
    {
        var pts = Enumerable.Range(0, count).Select(i => first + i * ticks).ToArray();
        return new PacketTable
        {
            Pts = pts,
            KeyframePts = [.. pts.Where((_, i) => i % keyEvery == 0)],
            LastDuration = ticks,
        };
    }
}
