using Hexcast.Media.Planning;
using Hexcast.Media.Probing;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.Planning;

public sealed class StoryboardPlanTests
{
    [Fact]
    public void A_video_has_a_picture_for_each_of_its_GOPs()
    {
        var storyboard = StoryboardPlan.Of(Plan(1920, 1080, frames: 25 * 21));

        storyboard.RenditionId.ShouldBe("h264-240");
        (storyboard.Width, storyboard.Height).ShouldBe((160, 90));
        storyboard.Pictures.Select(p => p.StartSeconds).ShouldBe(Enumerable.Range(0, 11).Select(i => 2.0 * i));
        storyboard.Pictures[^1].EndSeconds.ShouldBe(21);
        (storyboard.Columns, storyboard.Rows, storyboard.Sheets).ShouldBe((10, 2, 1));
    }

    [Fact]
    public void A_picture_is_named_by_its_segment_and_its_GOP_there()
    {
        var pictures = StoryboardPlan.Of(Plan(1280, 720, frames: 25 * 9)).Pictures;
        pictures.Select(p => (p.Segment, p.Gop)).ShouldBe([(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)]);
    }

    [Theory]
    [InlineData(25 * 60 * 13, 390)]
    [InlineData(25 * 60 * 14, 210)]
    [InlineData(25 * 3600 * 2, 400)]
    [InlineData(25 * 3600 * 20, 400)]
    public void However_long_the_video_the_pictures_are_bounded_and_cover_it(int frames, int pictures)
    {
        var plan = Plan(640, 360, frames);
        var storyboard = StoryboardPlan.Of(plan);

        storyboard.Pictures.Count.ShouldBe(pictures);
        storyboard.Sheets.ShouldBeLessThanOrEqualTo(StoryboardPlan.MaxSheets);
        storyboard.Pictures[0].StartSeconds.ShouldBe(0);
        storyboard.Pictures[^1].EndSeconds.ShouldBe(plan.DurationSeconds);
        storyboard.Pictures.Zip(storyboard.Pictures.Skip(1))
            .ShouldAllBe(p => p.First.EndSeconds == p.Second.StartSeconds);
    }

    [Theory]
    [InlineData(1080, 1920, 160, 284)]
    [InlineData(321, 181, 160, 90)]
    [InlineData(400, 400, 160, 160)]
    [InlineData(8192, 16, 160, 2)]
    [InlineData(16, 8192, 2, 284)]
    [InlineData(16, 16, 160, 160)]
    public void Whatever_its_shape_a_picture_fits(int width, int height, int tileWidth, int tileHeight)
    {
        var storyboard = StoryboardPlan.Of(Plan(width, height, frames: 50));
        (storyboard.Width, storyboard.Height).ShouldBe((tileWidth, tileHeight));
    }

    [Fact]
    public void A_single_frame_is_a_storyboard_of_one_picture()
    {
        var storyboard = StoryboardPlan.Of(Plan(320, 180, frames: 1));
        (storyboard.Pictures.Count, storyboard.Columns, storyboard.Rows, storyboard.Sheets).ShouldBe((1, 1, 1, 1));
        storyboard.Pictures[0].EndSeconds.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void What_is_before_the_first_frame_shows_the_first_picture()
    {
        var late = TranscodePlan.Build(
            Sources.Probe(320, 180, audioStart: 0), Sources.Frames(25 * 6, first: 12_800), Sources.Ladder);
        StoryboardPlan.Of(late).Pictures.Select(p => p.StartSeconds).ShouldBe([0, 2, 4, 6]);
    }

    private static TranscodePlan Plan(int width, int height, int frames) => TranscodePlan.Build(
        Sources.Probe(width, height), Sources.Frames(frames), Sources.Ladder);
}
