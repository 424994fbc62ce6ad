using Hexcast.Media.Planning;

namespace Hexcast.Media.IsoBmff;

/// <summary>
/// Cuts sound at the first frame at or after each multiple of the segment length. Frames before timeline zero (the
/// encoder's priming) are left out.
/// </summary>
internal sealed class AudioSegmentAssembler(TranscodePlan plan) : SegmentAssembler
{
    private readonly List<MediaSample> samples = [];
    private long nextCut;
    private int cuts;

    private int Timescale => Track!.Timescale;

    private protected override int ReorderTicks => 0;

    private protected override string? CheckTrack(TrackInit track)
    {
        cuts = 1;
        nextCut = (long)Math.Ceiling(plan.SegmentSeconds * track.Timescale);
        return track.Kind == TrackKind.Audio ? null : "the encoder wrote video instead of sound";
    }

    private protected override void Add(MediaSample sample)
    {
        if (sample.Pts < 0)
        {
            return;
        }
        if (samples.Count > 0 && sample.Pts <= samples[^1].Pts)
        {
            Fail(MismatchReason.FrameTime, $"sound goes back from tick {samples[^1].Pts} to {sample.Pts}");
            return;
        }
        if (samples.Count > 0 && sample.Pts >= nextCut)
        {
            Close(sample.Pts);
        }
        // Also past several cuts at once, should the sound have a hole.
        while (sample.Pts >= nextCut)
        {
            cuts++;
            nextCut = (long)Math.Ceiling(plan.SegmentSeconds * cuts * Timescale);
        }
        samples.Add(sample with { Dts = sample.Pts, IsKey = true });
    }

    private protected override void Finish()
    {
        if (samples.Count == 0)
        {
            Fail(MismatchReason.FrameCount, "the encoder wrote no sound");
            return;
        }
        Close(samples[^1].Pts + Math.Max(1, samples[^1].Duration));
    }

    private void Close(long end)
    {
        for (var i = 0; i < samples.Count; i++)
        {
            var next = i + 1 < samples.Count ? samples[i + 1].Pts : end;
            samples[i] = samples[i] with { Duration = next - samples[i].Pts };
        }
        if (SegmentCount == PlanLimits.MaxSegments)
        {
            Fail(MismatchReason.FrameCount, $"the sound has over {PlanLimits.MaxSegments} segments");
            return;
        }
        var number = SegmentCount + 1;
        var start = samples[0].Pts;
        Emit(new MediaSegment(number, SegmentWriter.Write(number, samples), start, end - start, samples.Count));
        samples.Clear();
    }
}
