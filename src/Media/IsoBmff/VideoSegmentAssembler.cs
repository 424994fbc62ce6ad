using Hexcast.Media.Planning;

namespace Hexcast.Media.IsoBmff;

/// <summary>
/// Cuts one rendition of one chunk at the planned GOPs and gives its frames their decoding times (docs/decisions/0003):
/// within a segment the i-th frame decoded gets the i-th smallest presentation time, and composition offsets are raised
/// by the plan's reorder ticks, so that none is negative. GOPs are closed, so a segment's first decoding time is its
/// start, and the decoding timeline has no gaps or overlaps, at any frame rate and from chunk to chunk.
/// </summary>
internal sealed class VideoSegmentAssembler(TranscodePlan plan, ChunkPlan chunk, bool tolerateLostFrames)
    : SegmentAssembler
{
    // The encoder's time base is the track's, and exact but where the source counts finer than a microsecond.
    private const long RoundingTicks = 1;

    private readonly List<MediaSample> samples = [];
    private int segmentIndex;

    // How many GOPs of the current segment have begun.
    private int gops;

    private SegmentPlan Segment => chunk.Segments[segmentIndex];

    private protected override int ReorderTicks => plan.ReorderTicks;

    private protected override string? CheckTrack(TrackInit track) =>
        track.Kind != TrackKind.Video ? "the encoder wrote sound instead of video"
        : track.Timescale != plan.VideoTimescale
            ? $"the track has {track.Timescale} ticks a second, not {plan.VideoTimescale}"
        : null;

    private protected override void Add(MediaSample sample)
    {
        if (sample.IsKey)
        {
            if (gops == Segment.GopStartPts.Count)
            {
                if (segmentIndex + 1 == chunk.Segments.Count)
                {
                    Fail(MismatchReason.KeyFrame, $"an extra key frame follows in segment {Segment.Number}");
                    return;
                }
                Close();
                if (Mismatch is not null)
                {
                    return;
                }
            }
            gops++;
        }
        var start = gops == 0 ? long.MaxValue : plan.ToVideoTicks(Segment.GopStartPts[gops - 1]);
        if (sample.IsKey && !tolerateLostFrames && Math.Abs(sample.Pts - start) > RoundingTicks)
        {
            Fail(MismatchReason.KeyFrame,
                $"a GOP of segment {Segment.Number} starts at tick {sample.Pts} instead of {start}");
        }
        else if (sample.Pts < start - RoundingTicks || sample.Pts >= GopEnd() + RoundingTicks)
        {
            Fail(MismatchReason.FrameTime,
                $"a frame at tick {sample.Pts} is outside its GOP in segment {Segment.Number}");
        }
        if (Mismatch is null)
        {
            samples.Add(sample);
        }
    }

    private protected override void Finish()
    {
        if (samples.Count == 0 || segmentIndex + 1 < chunk.Segments.Count || gops < Segment.GopStartPts.Count)
        {
            Fail(MismatchReason.FrameCount, $"the encoder ended in segment {Segment.Number}; "
                + $"the chunk goes on to {chunk.Segments[^1].Number}");
            return;
        }
        Close();
    }

    private long GopEnd() => gops < Segment.GopStartPts.Count
        ? plan.ToVideoTicks(Segment.GopStartPts[gops])
        : plan.EndVideoTicks(Segment.EndPts);

    private void Close()
    {
        if (samples.Count != Segment.Frames && !(tolerateLostFrames && samples.Count < Segment.Frames))
        {
            Fail(MismatchReason.FrameCount,
                $"segment {Segment.Number} has {samples.Count} frames instead of {Segment.Frames}");
            return;
        }
        long start = plan.ToVideoTicks(Segment.StartPts), end = plan.EndVideoTicks(Segment.EndPts);
        // Its first frame opens the segment on the tick, also where the frame before it in the source was lost.
        samples[0] = samples[0] with { Pts = start };
        if (!TrySetDecodeTimes(end))
        {
            return;
        }
        Emit(new MediaSegment(
            Segment.Number, SegmentWriter.Write(Segment.Number, samples), start, end - start, samples.Count));
        samples.Clear();
        (segmentIndex, gops) = (segmentIndex + 1 < chunk.Segments.Count ? segmentIndex + 1 : segmentIndex, 0);
    }

    private bool TrySetDecodeTimes(long end)
    {
        var decode = samples.ConvertAll(s => s.Pts);
        decode.Sort();
        decode.Add(end);
        for (var i = 0; i < samples.Count; i++)
        {
            if (decode[i] >= decode[i + 1])
            {
                Fail(MismatchReason.FrameTime, $"two frames of segment {Segment.Number} are shown at tick {decode[i]}");
                return false;
            }
        }
        // A frame must be decoded before it and all that follow it are shown. Only a long pause of a variable frame
        // rate makes its regular turn later than that: then it is decoded earlier, a tick before the next.
        var latest = end;
        for (var i = samples.Count - 1; i > 0; i--)
        {
            latest = Math.Min(latest - 1, samples[i].Pts + plan.ReorderTicks);
            decode[i] = latest = Math.Min(latest, decode[i]);
        }
        for (var i = 0; i < samples.Count; i++)
        {
            if (decode[i] >= decode[i + 1])
            {
                Fail(MismatchReason.FrameTime, $"frames of segment {Segment.Number} are too close to be reordered");
                return false;
            }
            samples[i] = samples[i] with
            {
                Dts = decode[i],
                Pts = samples[i].Pts + plan.ReorderTicks,
                Duration = decode[i + 1] - decode[i],
            };
        }
        return true;
    }
}
