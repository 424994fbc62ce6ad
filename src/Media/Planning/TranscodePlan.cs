using Hexcast.Media.Presets;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Planning;

/// <summary>
/// Everything that the tasks of one transcode must agree on. It follows from the probe and the preset alone, is
/// stored once as <c>plan.json</c> and never changes. Times named Pts are ticks of <see cref="SourceTimeBase"/>.
/// </summary>
public sealed partial record TranscodePlan
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public required string Preset { get; init; }

    /// <summary>ffmpeg's name of the source's demuxer; how far a seek must reach back depends on it.</summary>
    public required string SourceFormat { get; init; }

    /// <summary>Index of the video stream in the source.</summary>
    public required int VideoStreamIndex { get; init; }

    public required Rational SourceTimeBase { get; init; }

    /// <summary>Timeline zero: the first frame's or the first sound's time, whichever is earlier.</summary>
    public required long OriginPts { get; init; }

    /// <summary>Ticks a second of the output's video tracks.</summary>
    public required int VideoTimescale { get; init; }

    /// <summary>
    /// How far decoding runs ahead of showing, in ticks of the video tracks: what two reordered frames need. The
    /// tracks' composition offsets are raised by it and their edit list takes it off again.
    /// </summary>
    public required int ReorderTicks { get; init; }

    public required bool Interlaced { get; init; }

    /// <summary>Mean over the whole video.</summary>
    public required double FrameRate { get; init; }

    public required IReadOnlyList<VideoRendition> Video { get; init; }

    public AudioRendition? Audio { get; init; }

    /// <summary>Plans that were made before there were subtitles have none.</summary>
    public IReadOnlyList<SubtitlePlan> Subtitles { get; init; } = [];

    public IReadOnlyList<SkippedSubtitle> SkippedSubtitles { get; init; } = [];

    public required IReadOnlyList<ChunkPlan> Chunks { get; init; }

    public required int TotalFrames { get; init; }

    /// <summary>The end of the frame shown last.</summary>
    public required long EndPts { get; init; }

    /// <summary>From timeline zero to the end of the last frame.</summary>
    public required double DurationSeconds { get; init; }

    /// <summary>Nominal length of a segment; sound is cut at its multiples.</summary>
    public required double SegmentSeconds { get; init; }

    /// <summary>
    /// The longest segment, rounded up: known before encoding, so EXT-X-TARGETDURATION never changes.
    /// </summary>
    public required double TargetDurationSeconds { get; init; }
}

public sealed record VideoRendition
{
    /// <summary>Unique within the version and safe in a path: <c>h264-720</c>.</summary>
    public required string Id { get; init; }
    public required int Width { get; init; }
    public required int Height { get; init; }
    public required int MaxBitrateKbps { get; init; }
    public required double Crf { get; init; }
    public required string X264Preset { get; init; }
    public required string Profile { get; init; }

    /// <summary>H.264 level as ffmpeg takes it: <c>4.0</c>.</summary>
    public required string Level { get; init; }
}

public sealed record AudioRendition
{
    /// <summary>Unique within the version and safe in a path: <c>aac-128</c>.</summary>
    public required string Id { get; init; }
    public required int BitrateKbps { get; init; }
    public required int SampleRateHz { get; init; }
    public required int Channels { get; init; }

    /// <summary>Index of the audio stream in the source.</summary>
    public required int StreamIndex { get; init; }
}

/// <summary>The unit of encoding: frames with StartPts ≤ pts &lt; EndPts, a whole number of segments.</summary>
public sealed record ChunkPlan
{
    public required int Index { get; init; }
    public required long StartPts { get; init; }

    /// <summary>Exclusive; null for the last chunk.</summary>
    public required long? EndPts { get; init; }

    public required int Frames { get; init; }

    /// <summary>
    /// The last key frame at or before StartPts; null for the first chunk, which starts at the beginning.
    /// </summary>
    public required long? SeekPts { get; init; }

    public required IReadOnlyList<SegmentPlan> Segments { get; init; }
}

public sealed record SegmentPlan
{
    /// <summary>Counted over the whole version, from 1.</summary>
    public required int Number { get; init; }
    public required long StartPts { get; init; }

    /// <summary>Exclusive; null for the last segment of the version.</summary>
    public required long? EndPts { get; init; }

    public required int Frames { get; init; }

    /// <summary>Where each closed GOP starts; the first is StartPts.</summary>
    public required IReadOnlyList<long> GopStartPts { get; init; }
}
