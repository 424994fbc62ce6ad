using Hexcast.Media.Presets;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Planning;

/// <summary>
/// Cuts the frames of a source into GOPs, segments and chunks, at the same instants for every rendition.
/// </summary>
internal sealed class ChunkCutter(PacketTable packets, Rational timeBase, long originPts, Preset preset)
{
    private readonly long[] pts = packets.Pts;

    public IReadOnlyList<ChunkPlan> Cut(double durationSeconds)
    {
        var segments = Segments();
        if (segments.Count > PlanLimits.MaxSegments)
        {
            throw new MediaException(MediaErrorCode.SourceTooLarge,
                $"The video needs over {PlanLimits.MaxSegments} segments. Split it into parts.");
        }
        var chunkSeconds = Math.Clamp(durationSeconds / PlanLimits.ChunksPerVideo,
            PlanLimits.MinChunkSeconds, PlanLimits.MaxChunkSeconds);
        var perChunk = Math.Max((int)Math.Round(chunkSeconds / preset.Segment.TotalSeconds),
            (segments.Count + PlanLimits.MaxChunks - 2) / (PlanLimits.MaxChunks - 1));
        // A chunk decodes from the key frame before it. Where key frames are rarer than this, cutting costs more than
        // it brings: the chunk goes on instead.
        var maxLeadTicks = 2 * timeBase.CeilingTicks(preset.Segment * Math.Max(1, perChunk));

        var chunks = new List<ChunkPlan>();
        var current = new List<SegmentPlan>();
        foreach (var segment in segments)
        {
            var full = chunks.Count == 0 ? current.Count == 1 : current.Count >= perChunk;
            if (full && segment.StartPts - (SeekPoint(segment.StartPts) ?? pts[0]) <= maxLeadTicks)
            {
                chunks.Add(Chunk(chunks.Count, current));
                current = [];
            }
            current.Add(segment);
        }
        chunks.Add(Chunk(chunks.Count, current));
        return chunks;
    }

    private ChunkPlan Chunk(int index, List<SegmentPlan> segments) => new()
    {
        Index = index,
        StartPts = segments[0].StartPts,
        EndPts = segments[^1].EndPts,
        Frames = segments.Sum(s => s.Frames),
        SeekPts = index == 0 ? null : SeekPoint(segments[0].StartPts),
        Segments = segments,
    };

    private long? SeekPoint(long startPts)
    {
        var at = Array.BinarySearch(packets.KeyframePts, startPts);
        var index = at >= 0 ? at : ~at - 1;
        return index >= 0 ? packets.KeyframePts[index] : null;
    }

    // A GOP starts at the first frame at or after each multiple of its length; a multiple that no frame follows before
    // the next one starts none. So a long still picture only makes its segment longer.
    private List<SegmentPlan> Segments()
    {
        var gopsPerSegment = preset.Segment.Ticks / preset.Gop.Ticks;
        var firstEnd = GopOf(pts[0]) + (preset.FirstSegment ?? preset.Segment).Ticks / preset.Gop.Ticks;
        var inFirst = true;
        var starts = new List<(int Frame, bool OpensSegment)> { (0, true) };
        var (gop, segment) = (GopOf(pts[0]), GopOf(pts[0]) / gopsPerSegment);
        for (var frame = 1; frame < pts.Length; frame++)
        {
            var next = GopOf(pts[frame]);
            if (next == gop)
            {
                continue;
            }
            var opens = next / gopsPerSegment != segment || (inFirst && next >= firstEnd);
            inFirst &= !opens;
            starts.Add((frame, opens));
            (gop, segment) = (next, next / gopsPerSegment);
        }

        var segments = new List<SegmentPlan>();
        for (var first = 0; first < starts.Count;)
        {
            var end = first + 1;
            while (end < starts.Count && !starts[end].OpensSegment)
            {
                end++;
            }
            var endFrame = end < starts.Count ? starts[end].Frame : pts.Length;
            segments.Add(new SegmentPlan
            {
                Number = segments.Count + 1,
                StartPts = pts[starts[first].Frame],
                EndPts = end < starts.Count ? pts[endFrame] : null,
                Frames = endFrame - starts[first].Frame,
                GopStartPts = [.. starts[first..end].Select(s => pts[s.Frame])],
            });
            first = end;
        }
        return segments;
    }

    private long GopOf(long time) => (long)((Int128)(time - originPts) * timeBase.Num * TimeSpan.TicksPerSecond
        / ((Int128)timeBase.Den * preset.Gop.Ticks));
}
