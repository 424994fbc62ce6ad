using Hexcast.Media.IsoBmff;
using Hexcast.Media.Planning;

namespace Hexcast.Worker.Attempts;

/// <summary>Whether all committed parts, put one after the other, are the version that was planned.</summary>
internal static class PartsCheck
{
    // Sound is cut at its own frames (1024 samples, 21 ms at 48 kHz) and is padded to the video's end.
    private const double SoundShortfallSeconds = 0.25;

    /// <summary>Null when they are; otherwise what is wrong.</summary>
    public static string? Inconsistency(TranscodePlan plan, IReadOnlyList<AttemptIndex> parts)
    {
        var planned = plan.Chunks.SelectMany(c => c.Segments).ToList();
        var ids = plan.Video.Select(v => v.Id).Concat(plan.Audio is null ? [] : [plan.Audio.Id]).ToHashSet();
        var stray = parts.SelectMany(p => p.Renditions).FirstOrDefault(r => !ids.Contains(r.Id));
        if (stray is not null)
        {
            return $"{stray.Id} is not in the plan";
        }

        return plan.Video.Select(v => Video(plan, v, planned, Of(v.Id))).FirstOrDefault(problem => problem is not null)
            ?? (plan.Audio is { } audio ? Sound(plan, audio.Id, Of(audio.Id)) : null);

        List<RenditionIndex> Of(string id) =>
            [.. parts.SelectMany(p => p.Renditions).Where(r => r.Id == id).OrderBy(r => r.FirstSegmentNumber)];
    }

    /// <summary>How many frames the source's packets promised and its decoder did not yield.</summary>
    public static int LostFrames(TranscodePlan plan, IReadOnlyList<AttemptIndex> parts) => plan.Video
        .Select(v => plan.TotalFrames - parts.SelectMany(p => p.Renditions).Where(r => r.Id == v.Id).Sum(r => r.Frames))
        .Max();

    private static string? Video(
        TranscodePlan plan, VideoRendition rendition, List<SegmentPlan> planned, List<RenditionIndex> parts)
    {
        if (parts.Count == 0)
        {
            return $"{rendition.Id} is missing";
        }

        var first = parts[0];
        var other = parts.Find(p => p.InitSha256 != first.InitSha256 || p.Codec != first.Codec ||
            p.Timescale != plan.VideoTimescale || p.Width != rendition.Width || p.Height != rendition.Height);
        if (other is not null)
        {
            return $"{rendition.Id} changes its header, codec or size at segment {other.FirstSegmentNumber}";
        }

        var segments = parts.SelectMany(p => p.Segments).ToList();
        if (segments.Count != planned.Count)
        {
            return $"{rendition.Id} has {segments.Count} segments instead of {planned.Count}";
        }

        for (var i = 0; i < segments.Count; i++)
        {
            var start = plan.ToVideoTicks(planned[i].StartPts);
            if (segments[i].Number != planned[i].Number || segments[i].Start != start ||
                segments[i].Duration != plan.EndVideoTicks(planned[i].EndPts) - start)
            {
                return $"segment {planned[i].Number} of {rendition.Id} is missing, doubled or at another time";
            }
        }

        return null;
    }

    private static string? Sound(TranscodePlan plan, string id, List<RenditionIndex> parts)
    {
        if (parts is not [var sound])
        {
            return $"{id} is there {parts.Count} times";
        }

        var last = sound.Segments[^1];
        var endSeconds = (double)(last.Start + last.Duration) / sound.Timescale;
        return sound.FirstSegmentNumber != 1 ? $"{id} does not begin with segment 1"
            : endSeconds + SoundShortfallSeconds < plan.DurationSeconds
                ? $"{id} ends after {endSeconds:0.00} s of {plan.DurationSeconds:0.00} s"
            : null;
    }
}
