using FsCheck;
using FsCheck.Fluent;
using Hexcast.Media.Planning;
using Hexcast.Media.Probing;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.Planning;

public sealed class TranscodePlanTests
{
    [Fact]
    public void The_first_chunk_is_one_segment_and_the_others_are_about_eight_seconds()
    {
        var plan = Build(Sources.Frames(count: 25 * 21));

        plan.Chunks.Select(c => c.Segments.Count).ShouldBe([1, 2, 2, 1]);
        plan.Chunks.SelectMany(c => c.Segments).Select(s => s.Number).ShouldBe([1, 2, 3, 4, 5, 6]);
        plan.Chunks[1].StartPts.ShouldBe(4 * 12_800);
        plan.Chunks[1].SeekPts.ShouldBe(4 * 12_800);
        plan.Chunks[1].Segments[0].GopStartPts.ShouldBe([4 * 12_800, 6 * 12_800]);
        plan.DurationSeconds.ShouldBe(21);
        plan.TargetDurationSeconds.ShouldBe(4);
        plan.TotalFrames.ShouldBe(525);
        plan.ReorderTicks.ShouldBe(2 * plan.VideoTimescale / 25);
    }

    [Fact]
    public void A_shorter_first_segment_is_the_first_chunk_and_the_others_stay_where_they_are()
    {
        var preset = Sources.Ladder with { FirstSegment = Sources.Ladder.Gop };
        var plan = TranscodePlan.Build(Sources.Probe(640, 480), Sources.Frames(count: 25 * 13), preset);

        plan.Chunks.SelectMany(c => c.Segments).Select(s => s.StartPts / 12_800).ShouldBe([0, 2, 4, 8, 12]);
        plan.Chunks[0].Segments.Count.ShouldBe(1);
        plan.Chunks[1].StartPts.ShouldBe(2 * 12_800);
        plan.TargetDurationSeconds.ShouldBe(4);
    }

    [Fact]
    public void A_chunk_seeks_to_the_last_key_frame_before_it()
    {
        var plan = Build(Sources.Frames(count: 25 * 21, keyEvery: 60));

        plan.Chunks.Select(c => c.SeekPts).ShouldBe([null, 60 * 512, 300 * 512, 480 * 512]);
    }

    [Fact]
    public void Where_key_frames_are_rare_chunks_grow_rather_than_decode_everything_again()
    {
        var plan = Build(Sources.Frames(count: 25 * 600, keyEvery: int.MaxValue));

        plan.Chunks[0].Segments.Count.ShouldBe(1);
        plan.Chunks.Count.ShouldBeLessThan(5);
        plan.Chunks.Sum(c => c.Frames).ShouldBe(25 * 600);
    }

    [Fact]
    public void A_pause_makes_its_segment_longer_and_is_known_as_target_duration()
    {
        var frames = Enumerable.Range(0, 75).Concat(Enumerable.Range(325, 50));
        long[] pts = [.. frames.Select(i => i * 512L)];
        var plan = Build(new PacketTable { Pts = pts, KeyframePts = [0], LastDuration = 512 });

        var segments = plan.Chunks.SelectMany(c => c.Segments).ToList();
        segments.Select(s => s.StartPts / 512).ShouldBe([0, 325]);
        segments.Select(s => s.Number).ShouldBe([1, 2]);
        plan.TargetDurationSeconds.ShouldBe(13);
    }

    [Fact]
    public void Timeline_zero_is_the_first_frame_or_sound_whichever_is_earlier()
    {
        var frames = Sources.Frames(count: 100, first: 12_800);

        TranscodePlan.Build(Sources.Probe(640, 480), frames, Sources.Ladder).OriginPts.ShouldBe(12_800);
        TranscodePlan.Build(Sources.Probe(640, 480, audioStart: 1.5), frames, Sources.Ladder)
            .OriginPts.ShouldBe(12_800);
        var early = TranscodePlan.Build(Sources.Probe(640, 480, audioStart: 0.5), frames, Sources.Ladder);
        early.OriginPts.ShouldBe(6_400);
        early.ToVideoTicks(early.Chunks[0].StartPts).ShouldBe(early.VideoTimescale / 2);
        early.DurationSeconds.ShouldBe(4.5);
    }

    [Theory]
    [InlineData(1, 90_000, 90_000)]
    [InlineData(1, 1_000, 90_000)]
    [InlineData(1, 25, 90_000)]
    [InlineData(1, 12_800, 12_800)]
    [InlineData(1001, 30_000, 90_000)]
    [InlineData(1, 24, 90_000)]
    [InlineData(1, 599, 10_183)]
    [InlineData(1, 1_000_000_000, 1_000_000)]
    public void The_timescale_is_a_multiple_of_the_sources_so_that_times_are_exact(int num, int den, int timescale)
    {
        var ticks = Math.Max(1, den / 25 / num);
        var probe = Sources.Probe(640, 480, new Rational(num, den));
        TranscodePlan.Build(probe, Sources.Frames(10, ticks), Sources.Ladder).VideoTimescale.ShouldBe(timescale);
    }

    [Theory]
    [InlineData(1, 1000, 80, 55, 12.5, 4.4)]
    [InlineData(1, 90_000, 7200, 55, 12.5, 4.4)]
    [InlineData(1, 1_000_000, 80_000, 54, 12.5, 4.32)]
    [InlineData(1001, 30_000, 1, 53, 30_000 / 1001.0, 1.7684333333333333)]
    [InlineData(1, 1_000_000, 33_333, 421, 1_000_000 / 33_333.0, 14.033193)]
    public void Rates_and_lengths_are_as_near_as_numbers_come(
        int num, int den, int ticks, int frames, double rate, double seconds)
    {
        var plan = TranscodePlan.Build(
            Sources.Probe(640, 480, new Rational(num, den)), Sources.Frames(frames, ticks), Sources.Ladder);
        plan.FrameRate.ShouldBe(rate);
        plan.DurationSeconds.ShouldBe(seconds);
    }

    [Fact]
    public void A_very_long_video_has_at_most_the_allowed_chunks()
    {
        var plan = Build(Sources.Frames(count: 23 * 3600 * 2, ticks: 6_400, keyEvery: 2));

        plan.Chunks.Count.ShouldBeLessThanOrEqualTo(PlanLimits.MaxChunks);
        TranscodePlan.FromJson(plan.ToJson()).Chunks.Count.ShouldBe(plan.Chunks.Count);
    }

    [Fact]
    public void Too_long_a_video_and_a_file_without_video_are_refused_by_name()
    {
        Should.Throw<MediaException>(() => Build(Sources.Frames(count: 25 * 3600, ticks: 12_800)))
            .Code.ShouldBe(MediaErrorCode.SourceTooLarge);
        Should.Throw<MediaException>(() => TranscodePlan.Build(
            Sources.Probe(640, 480) with { Video = null }, Sources.Frames(1), Sources.Ladder))
            .Code.ShouldBe(MediaErrorCode.SourceNoVideo);
        Should.Throw<MediaException>(() => Build(Sources.Frames(10) with { Exact = false }))
            .Code.ShouldBe(MediaErrorCode.SourceUnsupportedFormat);
    }

    [Fact]
    public void Every_frame_is_in_exactly_one_gop_segment_and_chunk_for_any_times()
    {
        // Distances of frames in ticks of 1/12800 s: mostly regular, sometimes long pauses.
        var distances = Gen.Frequency((20, Gen.Constant(512)), (5, Gen.Choose(1, 2000)), (1, Gen.Choose(2000, 200_000)))
            .ArrayOf().Where(d => d.Length > 0);
        var property = Prop.ForAll(distances.ToArbitrary(), Arb.From(Gen.Choose(-50_000, 50_000)), (steps, first) =>
        {
            long time = first;
            long[] pts = [first, .. steps.Select(s => time += s)];
            var plan = Build(new PacketTable { Pts = pts, KeyframePts = [first], LastDuration = 512 });

            // FromJson checks that chunks, segments and GOPs follow each other without a hole.
            var same = TranscodePlan.FromJson(plan.ToJson());
            same.ToJson().ShouldBe(plan.ToJson());
            plan.Chunks.Sum(c => c.Frames).ShouldBe(pts.Length);
            foreach (var segment in plan.Chunks.SelectMany(c => c.Segments))
            {
                pts.Count(p => p >= segment.StartPts && (segment.EndPts is null || p < segment.EndPts))
                    .ShouldBe(segment.Frames);
                segment.GopStartPts.ShouldAllBe(p => pts.Contains(p));
            }
        });
        var config = Config.QuickThrowOnFailure.WithMaxTest(100).WithReplay(20261122, 3).WithQuietOnSuccess(true);
        Check.One(config, property);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"version\":1")]
    public void A_document_that_is_no_plan_is_refused_by_name(string json) =>
        Should.Throw<MediaException>(() => TranscodePlan.FromJson(System.Text.Encoding.UTF8.GetBytes(json)))
            .Code.ShouldBe(MediaErrorCode.PlanInvalid);

    [Fact]
    public void A_plan_that_contradicts_itself_is_refused_by_name()
    {
        var plan = Build(Sources.Frames(count: 25 * 21));
        TranscodePlan[] broken =
        [
            plan with { Version = 2 },
            plan with { TotalFrames = 1 },
            plan with { Chunks = [.. plan.Chunks.Skip(1)] },
            plan with { Chunks = [plan.Chunks[0]] },
            plan with { Chunks = [] },
            plan with { Video = [] },
            plan with { Video = [plan.Video[0] with { Id = "../../etc" }] },
            plan with { Video = [plan.Video[0], plan.Video[0]] },
            plan with { SourceTimeBase = new Rational(1, 0) },
            plan with { EndPts = 0 },
        ];
        foreach (var one in broken)
        {
            Should.Throw<MediaException>(() => TranscodePlan.FromJson(one.ToJson()))
                .Code.ShouldBe(MediaErrorCode.PlanInvalid);
        }
    }

    private static TranscodePlan Build(PacketTable frames) =>
        TranscodePlan.Build(Sources.Probe(640, 480), frames, Sources.Ladder);
}
