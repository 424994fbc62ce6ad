using Hexcast.Media.IsoBmff;

namespace Hexcast.Media.Manifests;

/// <summary>What a manifest is made of: a version as far as it exists.</summary>
public sealed record VersionIndex
{
    /// <summary>False while tasks still add segments.</summary>
    public required bool Complete { get; init; }

    /// <summary>From the plan, so that it never changes while the version grows.</summary>
    public required double TargetDurationSeconds { get; init; }

    /// <summary>From the plan: the whole video, also while only its beginning exists.</summary>
    public required double DurationSeconds { get; init; }

    public required IReadOnlyList<RenditionTrack> Renditions { get; init; }

    /// <summary>Only of a complete version.</summary>
    public IReadOnlyList<TextTrack> Subtitles { get; init; } = [];
}

/// <summary>WebVTT of the whole video, in one piece.</summary>
public sealed record TextTrack
{
    public required string Id { get; init; }

    /// <summary>BCP 47.</summary>
    public required string Language { get; init; }

    /// <summary>Unique within the version.</summary>
    public required string Label { get; init; }
    public bool IsDefault { get; init; }
    public bool IsForced { get; init; }
    public required long LengthBytes { get; init; }
}

public sealed record RenditionTrack
{
    public required string Id { get; init; }
    public required TrackKind Kind { get; init; }

    /// <summary>RFC 6381.</summary>
    public required string Codec { get; init; }
    public int Width { get; init; }
    public int Height { get; init; }
    public double FrameRate { get; init; }
    public int Channels { get; init; }
    public int SampleRateHz { get; init; }
    public required int Timescale { get; init; }

    /// <summary>Contiguous from segment 1.</summary>
    public required IReadOnlyList<SegmentEntry> Segments { get; init; }
}

/// <summary>Start and duration in ticks of the rendition's timescale, length with headers.</summary>
public readonly record struct SegmentEntry(int Number, long StartTicks, long DurationTicks, int LengthBytes);
