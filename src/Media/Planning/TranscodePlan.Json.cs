using System.Text.Json;

namespace Hexcast.Media.Planning;

public sealed partial record TranscodePlan
{
    /// <summary>The bytes of <c>plan.json</c>.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, MediaJson.Options);

    /// <exception cref="MediaException">The document is no plan, or contradicts itself.</exception>
    public static TranscodePlan FromJson(ReadOnlySpan<byte> json)
    {
        if (json.Length > PlanLimits.MaxPlanJsonBytes)
        {
            throw Invalid("it is over its size limit");
        }
        TranscodePlan? plan;
        try
        {
            plan = JsonSerializer.Deserialize<TranscodePlan>(json, MediaJson.Options);
        }
        catch (JsonException e)
        {
            throw new MediaException(MediaErrorCode.PlanInvalid, $"The plan cannot be read: {e.Message}", e);
        }
        if (plan is null)
        {
            throw Invalid("it is null");
        }
        plan.Check();
        return plan;
    }

    private void Check()
    {
        Require(Version == CurrentVersion, $"it has version {Version}; this program reads {CurrentVersion}");
        Require(SourceTimeBase is { Num: > 0, Den: > 0 }, "its time base is not positive");
        Require(VideoTimescale is > 0 and <= PlanLimits.MaxVideoTimescale && VideoStreamIndex >= 0 && ReorderTicks >= 0,
            "its timescale or stream is out of range");
        Require(double.IsFinite(DurationSeconds) && DurationSeconds > 0 && TargetDurationSeconds >= 1
            && SegmentSeconds > 0 && FrameRate > 0, "a duration is not positive");
        Require(Video is { Count: > 0 and <= Presets.Preset.MaxRungs }, "it has no renditions, or too many");
        Require(Chunks is { Count: > 0 and <= PlanLimits.MaxChunks }, "it has no chunks, or too many");
        Require(Video.All(v => v is not null) && Chunks.All(c => c?.Segments?.All(s => s is not null) == true),
            "an entry is null");
        Require(Subtitles is { Count: <= SubtitlePlans.MaxTracks } && SkippedSubtitles is not null
            && Subtitles.All(s => s is { StreamIndex: >= 0, Language: not null, Label: not null })
            && SkippedSubtitles.All(s => s is not null), "it has too many subtitles, or one that is null");
        var ids = Video.Select(v => v.Id).Concat(Audio is null ? [] : [Audio.Id])
            .Concat(Subtitles.Select(s => s.Id)).ToList();
        Require(ids.Distinct(StringComparer.Ordinal).Count() == ids.Count && ids.TrueForAll(MediaJson.IsPathName),
            "a rendition's id is doubled or not safe in a path");
        Require(Chunks.Sum(c => (long)c.Frames) == TotalFrames, "its chunks do not add up to its frames");

        long? end = Chunks[0].StartPts;
        var number = 0;
        for (var i = 0; i < Chunks.Count; i++)
        {
            var chunk = Chunks[i];
            Require(chunk.Index == i && chunk.StartPts == end && chunk.Segments is { Count: > 0 }
                && (chunk.SeekPts ?? chunk.StartPts) <= chunk.StartPts
                && chunk.Segments.Sum(s => (long)s.Frames) == chunk.Frames, $"chunk {i} does not follow");
            foreach (var segment in chunk.Segments)
            {
                Require(segment.Number == ++number && segment.StartPts == end && segment.Frames > 0
                    && segment.GopStartPts is { Count: > 0 } && segment.GopStartPts[0] == segment.StartPts
                    && segment.GopStartPts.Zip(segment.GopStartPts.Skip(1)).All(p => p.First < p.Second)
                    && (segment.EndPts is null || segment.GopStartPts[^1] < segment.EndPts),
                    $"segment {number} does not follow");
                end = segment.EndPts;
                Require(end is not null || (i == Chunks.Count - 1 && segment == chunk.Segments[^1]),
                    $"segment {number} has no end");
            }
            Require(chunk.EndPts == end, $"chunk {i} does not end with its segments");
        }
        Require(EndPts > Chunks[^1].Segments[^1].GopStartPts[^1], "it ends before its last frame");
        Require(end is null && number <= PlanLimits.MaxSegments, "its last segment ends before the video");
    }

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw Invalid(problem);
        }
    }

    private static MediaException Invalid(string problem) =>
        new(MediaErrorCode.PlanInvalid, $"The plan cannot be used: {problem}. Transcode the media again.");
}
