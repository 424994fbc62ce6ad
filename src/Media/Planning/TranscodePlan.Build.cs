using Hexcast.Media.Presets;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Planning;

public sealed partial record TranscodePlan
{
    /// <exception cref="MediaException">The source holds no video, or more than the limits allow.</exception>
    public static TranscodePlan Build(SourceProbe probe, PacketTable packets, Preset preset)
    {
        if (preset.Validate() is { Count: > 0 } problems)
        {
            throw new MediaException(MediaErrorCode.PresetInvalid,
                $"Preset {preset.Name} cannot be used: {string.Join("; ", problems)}.");
        }
        var video = probe.Video ?? throw new MediaException(MediaErrorCode.SourceNoVideo,
            "The file holds no video, only sound or pictures. Upload a file with a video track.");
        if (!packets.Exact)
        {
            throw new MediaException(MediaErrorCode.SourceUnsupportedFormat,
                "The container does not say when its frames are shown. "
                + "Convert it: ffmpeg -i FILE -c:v libx264 OUTPUT.mp4");
        }
        var timeBase = video.TimeBase;
        var origin = Origin(probe.Audio, packets, timeBase);
        var endPts = packets.Pts[^1] + packets.LastDuration;
        var duration = timeBase.Seconds(endPts - origin);
        if (duration > SourceLimits.MaxDurationSeconds)
        {
            throw new MediaException(MediaErrorCode.SourceTooLarge,
                $"The video lasts {duration:F0} s; at most {SourceLimits.MaxDurationSeconds:F0} s can be handled.");
        }
        var shownTicks = endPts - packets.Pts[0];
        var shownSeconds = timeBase.Seconds(shownTicks);
        RequireWhole(probe.FormatName, video, shownSeconds);
        var frameRate = (double)((Int128)packets.Pts.Length * timeBase.Den)
            / (double)((Int128)shownTicks * timeBase.Num);
        var chunks = new ChunkCutter(packets, timeBase, origin, preset).Cut(duration);
        var longestSegment = timeBase.Seconds(
            chunks.SelectMany(c => c.Segments).Max(s => (s.EndPts ?? endPts) - s.StartPts));
        var timescale = Timescale(timeBase);
        var (subtitles, skipped) = SubtitlePlans.Of(probe.Subtitles);
        return new TranscodePlan
        {
            Preset = preset.Name,
            SourceFormat = probe.FormatName,
            VideoStreamIndex = video.Index,
            SourceTimeBase = timeBase,
            OriginPts = origin,
            VideoTimescale = timescale,
            ReorderTicks = Reorder(packets, timeBase, timescale, frameRate),
            Interlaced = video.Interlaced,
            FrameRate = frameRate,
            Video = Ladder.Renditions(video, frameRate, preset),
            Audio = probe.Audio is { } audio ? Sound(audio, preset.Audio) : null,
            Subtitles = subtitles,
            SkippedSubtitles = skipped,
            Chunks = chunks,
            TotalFrames = packets.Pts.Length,
            EndPts = endPts,
            DurationSeconds = duration,
            SegmentSeconds = preset.Segment.TotalSeconds,
            TargetDurationSeconds = Math.Ceiling(Math.Max(preset.Segment.TotalSeconds, longestSegment)),
        };
    }

    // Only MP4 and its kin say in an index what must follow. Elsewhere the claim is often an estimate.
    private static void RequireWhole(string format, VideoStream video, double shownSeconds)
    {
        if (format.StartsWith("mov,", StringComparison.Ordinal) && video.DurationSeconds is { } promised
            && promised - shownSeconds
                > Math.Max(SourceLimits.MaxMissingSeconds, promised * SourceLimits.MaxMissingShare))
        {
            throw new MediaException(MediaErrorCode.SourceTruncated,
                $"The file ends after {shownSeconds:F1} s of {promised:F1} s: it was cut off. Upload it again.");
        }
    }

    private static long Origin(AudioStream? audio, PacketTable packets, Rational timeBase)
    {
        if (audio?.StartSeconds is not { } start)
        {
            return packets.Pts[0];
        }
        return Math.Min(packets.Pts[0], (long)Math.Floor(start / timeBase.ToDouble()));
    }

    // A multiple of the source's ticks a second, so that every time is exact; 90,000 where that is one.
    private static int Timescale(Rational timeBase)
    {
        const int usual = 90_000, fine = 10_000;
        if (usual % timeBase.Den == 0)
        {
            return usual;
        }
        if (timeBase.Den > PlanLimits.MaxVideoTimescale)
        {
            return PlanLimits.MaxVideoTimescale;
        }
        var multiple = Math.Max(1, (fine + timeBase.Den - 1) / timeBase.Den);
        return (int)(timeBase.Den * multiple);
    }

    // x264 decodes a picture at most two frames before its turn, also with a pyramid of B-frames. At a constant rate
    // that is two frames' time. A pause of a variable rate may be long, and does not count in full.
    private static int Reorder(PacketTable packets, Rational timeBase, int timescale, double frameRate)
    {
        const int depth = 2;
        const double mostFrames = 3;
        var pts = packets.Pts;
        long longest = 0;
        for (var i = depth; i < pts.Length; i++)
        {
            longest = Math.Max(longest, timeBase.Rescale(pts[i] - pts[0], timescale)
                - timeBase.Rescale(pts[i - depth] - pts[0], timescale));
        }
        return (int)Math.Min(longest, Math.Min(Math.Ceiling(mostFrames / frameRate * timescale), int.MaxValue));
    }

    private static AudioRendition Sound(AudioStream source, AudioSettings settings) => new()
    {
        Id = $"aac-{settings.BitrateKbps}",
        BitrateKbps = settings.BitrateKbps,
        SampleRateHz = settings.SampleRateHz,
        Channels = settings.Channels,
        StreamIndex = source.Index,
    };

    /// <summary>A time of the source on the version's timeline, in ticks of its video tracks.</summary>
    public long ToVideoTicks(long pts) => SourceTimeBase.Rescale(pts - OriginPts, VideoTimescale);

    /// <summary>Where a segment or chunk ends, in ticks of the video tracks; null is the end of the video.</summary>
    public long EndVideoTicks(long? endPts) => ToVideoTicks(endPts ?? EndPts);
}
