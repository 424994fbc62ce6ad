namespace Hexcast.Media.Planning;

/// <summary>ITU-T H.264 table A-1: the smallest level that a rendition fits into.</summary>
internal static class H264Levels
{
    // Reference frames that x264's presets up to "medium" keep, and one for the picture being decoded.
    private const int DecodedPictures = 4;

    // Level, macroblocks a second, a frame, in the decoded picture buffer, and kbit/s (main profile).
    private static readonly (string Name, int PerSecond, int Frame, int Buffer, int Kbps)[] Table =
    [
        ("1.0", 1_485, 99, 396, 64), ("1.1", 3_000, 396, 900, 192), ("1.2", 6_000, 396, 2_376, 384),
        ("1.3", 11_880, 396, 2_376, 768), ("2.0", 11_880, 396, 2_376, 2_000), ("2.1", 19_800, 792, 4_752, 4_000),
        ("2.2", 20_250, 1_620, 8_100, 4_000), ("3.0", 40_500, 1_620, 8_100, 10_000),
        ("3.1", 108_000, 3_600, 18_000, 14_000), ("3.2", 216_000, 5_120, 20_480, 20_000),
        ("4.0", 245_760, 8_192, 32_768, 20_000), ("4.1", 245_760, 8_192, 32_768, 50_000),
        ("4.2", 522_240, 8_704, 34_816, 50_000), ("5.0", 589_824, 22_080, 110_400, 135_000),
        ("5.1", 983_040, 36_864, 184_320, 240_000), ("5.2", 2_073_600, 36_864, 184_320, 240_000),
        ("6.0", 4_177_920, 139_264, 696_320, 240_000), ("6.1", 8_355_840, 139_264, 696_320, 480_000),
    ];

    // The buffer holds two seconds at the ceiling, and the table allows one second of its kbit/s.
    public const int BufferSeconds = 2;

    public static string For(int width, int height, double frameRate, int maxBitrateKbps)
    {
        int columns = (width + 15) / 16, rows = (height + 15) / 16, frame = columns * rows;
        foreach (var level in Table)
        {
            var side = Math.Sqrt(level.Frame * 8.0);
            if (frame <= level.Frame && frame * frameRate <= level.PerSecond && frame * DecodedPictures <= level.Buffer
                && columns <= side && rows <= side && maxBitrateKbps * BufferSeconds <= level.Kbps)
            {
                return level.Name;
            }
        }
        return "6.2";
    }
}
