using Hexcast.Media.IsoBmff;
using Hexcast.Media.Planning;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.IsoBmff;

public sealed class SegmentAssemblerTests
{
    // Ten frames a second in ticks of 1/90000: GOPs of 20 frames, segments of 40; chunks of 1, 2 and 1 segments.
    private const int Frame = 9000;
    private readonly TranscodePlan plan = TranscodePlan.Build(
        Sources.Probe(640, 480, new Rational(1, 90_000), audioStart: 0),
        Sources.Frames(130, Frame, keyEvery: 20), Sources.Ladder);

    [Fact]
    public void Segments_come_as_soon_as_the_next_one_begins_and_join_without_a_gap()
    {
        var chunk = plan.Chunks[1];
        var assembler = SegmentAssembler.ForVideo(plan, chunk);
        var gops = Enumerable.Range(2, 4).Select(Gop).ToArray();

        assembler.Push(Boxes.File(Boxes.Video(90_000), gops[..2]));
        assembler.TryTake(out _).ShouldBeFalse();
        assembler.Push(SegmentWriter.Write(3, gops[2]));
        assembler.TryTake(out var first).ShouldBeTrue();
        (first!.Number, first.StartTicks, first.DurationTicks, first.SampleCount).ShouldBe((2, 360_000, 360_000, 40));
        assembler.Push(SegmentWriter.Write(4, gops[3]));
        assembler.TryTake(out _).ShouldBeFalse();

        assembler.Complete().ShouldBeNull();
        assembler.TryTake(out var second).ShouldBeTrue();
        (second!.Number, second.StartTicks).ShouldBe((3, 720_000));
        assembler.SegmentCount.ShouldBe(2);

        var samples = Read(assembler.InitSegment!, first.Bytes, second.Bytes);
        samples.Select(s => s.Dts).ShouldBe(Enumerable.Range(40, 80).Select(i => (long)i * Frame));
        samples.ShouldAllBe(s => s.Duration == Frame && s.Pts >= s.Dts);
        samples.Select(s => s.Pts - plan.ReorderTicks).Order()
            .ShouldBe(Enumerable.Range(40, 80).Select(i => (long)i * Frame));
    }

    [Fact]
    public void The_header_does_not_depend_on_the_chunk()
    {
        var first = SegmentAssembler.ForVideo(plan, plan.Chunks[0]);
        first.Push(Boxes.File(Boxes.Video(90_000), Gop(0), Gop(1)));
        var second = SegmentAssembler.ForVideo(plan, plan.Chunks[1]);
        second.Push(Boxes.File(Boxes.Video(90_000), Gop(2)));

        first.InitSegment.ShouldBe(second.InitSegment);
    }

    [Fact]
    public void A_pause_within_reordered_frames_is_decoded_in_time()
    {
        // Shown at 0, 1, 2 and, after a pause, 15 and 16; decoded with the last first.
        long[] shown = [0, 1, 2, 15, 16];
        var paused = TranscodePlan.Build(
            Sources.Probe(640, 480, new Rational(1, 90_000)),
            new() { Pts = [.. shown.Select(s => s * Frame)], KeyframePts = [0], LastDuration = Frame }, Sources.Ladder);
        var assembler = SegmentAssembler.ForVideo(paused, paused.Chunks[0]);
        int[] order = [0, 4, 2, 1, 3];
        assembler.Push(Boxes.File(Boxes.Video(90_000),
            [.. order.Select((o, i) => Boxes.Sample(i * Frame, shown[o] * Frame, key: i == 0, duration: Frame))]));

        assembler.Complete().ShouldBeNull();
        assembler.TryTake(out var segment).ShouldBeTrue();
        var samples = Read(assembler.InitSegment!, segment!.Bytes);
        samples.ShouldAllBe(s => s.Pts >= s.Dts && s.Duration > 0);
        samples[0].Dts.ShouldBe(0);
        samples.Sum(s => s.Duration).ShouldBe(17 * Frame);
    }

    [Fact]
    public void Another_number_of_frames_is_a_mismatch_unless_their_loss_is_allowed()
    {
        var short1 = Boxes.File(Boxes.Video(90_000), Gop(0)[..^1], Gop(1));
        var strict = SegmentAssembler.ForVideo(plan, plan.Chunks[0]);
        strict.Push(short1);
        strict.Complete()!.Reason.ShouldBe(MismatchReason.FrameCount);
        strict.TryTake(out _).ShouldBeFalse();

        var tolerant = SegmentAssembler.ForVideo(plan, plan.Chunks[0], tolerateLostFrames: true);
        tolerant.Push(short1);
        tolerant.Complete().ShouldBeNull();
        tolerant.TryTake(out var segment).ShouldBeTrue();
        segment!.DurationTicks.ShouldBe(360_000);
        Read(tolerant.InitSegment!, segment.Bytes).Sum(s => s.Duration).ShouldBe(360_000);
    }

    [Fact]
    public void A_chunk_whose_first_frame_was_lost_still_starts_on_time()
    {
        var late = Enumerable.Range(1, 19)
            .Select(i => Boxes.Sample(i * Frame, i * Frame, key: i == 1, duration: Frame)).ToArray();
        var assembler = SegmentAssembler.ForVideo(plan, plan.Chunks[0], tolerateLostFrames: true);
        assembler.Push(Boxes.File(Boxes.Video(90_000), late, Gop(1)));

        assembler.Complete().ShouldBeNull();
        assembler.TryTake(out var segment).ShouldBeTrue();
        var samples = Read(assembler.InitSegment!, segment!.Bytes);
        (samples[0].Dts, samples[0].Pts).ShouldBe((0, plan.ReorderTicks));
        samples.Sum(s => s.Duration).ShouldBe(360_000);
    }

    [Fact]
    public void What_is_not_as_planned_is_a_mismatch()
    {
        // The wrong place, as after a seek that went astray.
        Mismatch(Gop(1)).ShouldBe(MismatchReason.KeyFrame);
        // No key frame at the start.
        Mismatch([Gop(0)[0] with { IsKey = false }, .. Gop(0)[1..]]).ShouldBe(MismatchReason.FrameTime);
        // A GOP that goes on where the next should start.
        Mismatch(Gop(0), [Gop(1)[0] with { IsKey = false }, .. Gop(1)[1..]]).ShouldBe(MismatchReason.FrameTime);
        // A key frame too many.
        Mismatch(Gop(0), Gop(1), Gop(2)).ShouldBe(MismatchReason.KeyFrame);
        // An end too early.
        Mismatch(Gop(0)).ShouldBe(MismatchReason.FrameCount);
        Mismatch().ShouldBe(MismatchReason.FrameCount);
        // Two frames at one time.
        Mismatch([.. Gop(0)[..^1], Gop(0)[^2]], Gop(1)).ShouldBe(MismatchReason.FrameTime);

        var timescale = SegmentAssembler.ForVideo(plan, plan.Chunks[0]);
        timescale.Push(Boxes.File(Boxes.Video(1000), Gop(0)));
        timescale.Complete()!.Reason.ShouldBe(MismatchReason.Track);
        var kind = SegmentAssembler.ForAudio(plan);
        kind.Push(Boxes.File(Boxes.Video(90_000), Gop(0)));
        kind.Complete()!.Reason.ShouldBe(MismatchReason.Track);
    }

    [Fact]
    public void Sound_is_cut_at_the_first_frame_after_each_multiple_and_its_priming_is_left_out()
    {
        var assembler = SegmentAssembler.ForAudio(plan);
        var frames = Enumerable.Range(-1, 470).Select(i => Boxes.Sample(i * 1024, i * 1024, key: true, duration: 1024));
        assembler.Push(Boxes.File(Boxes.Audio(48_000), [.. frames]));
        assembler.Complete().ShouldBeNull();

        var segments = new List<MediaSegment>();
        while (assembler.TryTake(out var segment))
        {
            segments.Add(segment);
        }
        segments.Select(s => s.Number).ShouldBe([1, 2, 3]);
        segments.Select(s => s.StartTicks).ShouldBe([0, 188 * 1024, 375 * 1024]);
        segments.Sum(s => s.DurationTicks).ShouldBe(469 * 1024);
        Read(assembler.InitSegment!, segments[0].Bytes)[0].Data.Span[0].ShouldBe((byte)0);
    }

    private MismatchReason Mismatch(params MediaSample[][] fragments)
    {
        var assembler = SegmentAssembler.ForVideo(plan, plan.Chunks[0]);
        assembler.Push(Boxes.File(Boxes.Video(90_000), fragments));
        var mismatch = assembler.Complete().ShouldNotBeNull();
        assembler.TryTake(out _).ShouldBeFalse();
        return mismatch.Reason;
    }

    // Twenty frames as x264 orders them: I P B B B P B B B …, with decoding times that start two frames early.
    private static MediaSample[] Gop(int number)
    {
        int[] order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11, 16, 14, 13, 15, 19, 18, 17];
        return [.. order.Select((o, i) =>
            Boxes.Sample((number * 20L + i) * Frame, (number * 20L + o) * Frame, key: o == 0, duration: Frame))];
    }

    private static List<MediaSample> Read(params byte[][] parts)
    {
        var reader = new FragmentReader();
        foreach (var part in parts)
        {
            reader.Push(part);
        }
        reader.Complete();
        var samples = new List<MediaSample>();
        while (reader.TryRead(out var sample))
        {
            samples.Add(sample);
        }
        return samples;
    }
}
