using Hexcast.Media.Planning;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.Planning;

public sealed class LadderTests
{
    [Theory]
    [InlineData(1920, 1080, "1920x1080 1280x720 854x480 640x360 426x240")]
    [InlineData(1080, 1920, "1080x1920 720x1280 480x854 360x640 240x426")]
    [InlineData(3840, 2160, "1920x1080 1280x720 854x480 640x360 426x240")]
    [InlineData(640, 480, "640x480 480x360 320x240")]
    [InlineData(641, 361, "640x360 426x240")]
    [InlineData(321, 181, "320x180")]
    [InlineData(1920, 800, "1728x720 1152x480 864x360 576x240")]
    [InlineData(17, 16, "16x16")]
    [InlineData(8191, 17, "7710x16")]
    public void A_source_gets_the_rungs_up_to_its_short_side_and_keeps_its_shape(int width, int height, string sizes) =>
        string.Join(' ', Renditions(width, height).Select(v => $"{v.Width}x{v.Height}")).ShouldBe(sizes);

    [Fact]
    public void Ids_name_the_rung_and_a_small_source_its_own_size()
    {
        Renditions(1080, 1920).Select(v => v.Id)
            .ShouldBe(["h264-1080", "h264-720", "h264-480", "h264-360", "h264-240"]);
        Renditions(321, 181).Single().Id.ShouldBe("h264-180");
    }

    [Fact]
    public void Over_thirty_frames_a_second_the_ceiling_is_half_as_much_again()
    {
        Renditions(1280, 720)[0].MaxBitrateKbps.ShouldBe(2800);
        Renditions(1280, 720, frames: 600, ticks: 12_800 / 50)[0].MaxBitrateKbps.ShouldBe(4200);
    }

    [Theory]
    [InlineData(1920, 1080, 30, 5000, "4.0")]
    [InlineData(1920, 1080, 60, 7500, "4.2")]
    [InlineData(1280, 720, 30, 2800, "3.1")]
    [InlineData(1280, 720, 60, 4200, "3.2")]
    [InlineData(854, 480, 30, 1400, "3.1")]
    [InlineData(426, 240, 25, 400, "2.1")]
    [InlineData(3840, 2160, 60, 30_000, "5.2")]
    [InlineData(8192, 8192, 240, 100_000, "6.2")]
    public void The_level_is_the_smallest_that_holds_the_rendition(
        int width, int height, double rate, int kbps, string level) =>
        H264Levels.For(width, height, rate, kbps).ShouldBe(level);

    private static IReadOnlyList<VideoRendition> Renditions(
        int width, int height, int frames = 100, long ticks = 512) =>
        TranscodePlan.Build(Sources.Probe(width, height), Sources.Frames(frames, ticks), Sources.Ladder).Video;
}
