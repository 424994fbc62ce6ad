using System.Text.Json.Serialization;

namespace Hexcast.Media.IsoBmff;

[JsonConverter(typeof(JsonStringEnumConverter<TrackKind>))]
public enum TrackKind
{
    [JsonStringEnumMemberName("video")] Video,
    [JsonStringEnumMemberName("audio")] Audio,
}

/// <summary>
/// What one attempt at a task has put into the object store: an immutable object beside the media bytes, named by
/// its hash in the task's commit.
/// </summary>
public sealed partial record AttemptIndex
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;
    public required string Task { get; init; }
    public required int Attempt { get; init; }
    public required IReadOnlyList<RenditionIndex> Renditions { get; init; }
}

public sealed record RenditionIndex
{
    public required string Id { get; init; }
    public required TrackKind Kind { get; init; }

    /// <summary>
    /// RFC 6381, read from the encoder's own configuration record: <c>avc1.64001f</c>, <c>mp4a.40.2</c>.
    /// </summary>
    public required string Codec { get; init; }

    public int Width { get; init; }
    public int Height { get; init; }

    /// <summary>Measured over this attempt; 0 for sound.</summary>
    public double FrameRate { get; init; }
    public int Channels { get; init; }
    public int SampleRateHz { get; init; }

    /// <summary>
    /// Pictures, or frames of sound, that are really there: fewer than planned where a source is damaged.
    /// </summary>
    public int Frames { get; init; }

    /// <summary>Ticks a second of every start and duration below.</summary>
    public required int Timescale { get; init; }

    public required long InitOffset { get; init; }
    public required int InitLength { get; init; }

    /// <summary>Lower-case hexadecimal. The same in every chunk of a rendition.</summary>
    public required string InitSha256 { get; init; }

    /// <summary>The object's name below the attempt's prefix: <c>h264-720.mp4</c>.</summary>
    public required string ObjectName { get; init; }
    public required string ObjectSha256 { get; init; }
    public required long ObjectLength { get; init; }

    public required int FirstSegmentNumber { get; init; }
    public required IReadOnlyList<SegmentIndex> Segments { get; init; }
}

public sealed record SegmentIndex
{
    public required int Number { get; init; }

    /// <summary>First byte within the object.</summary>
    public required long Offset { get; init; }
    public required int Length { get; init; }

    /// <summary>Earliest presentation time on the version's timeline.</summary>
    public required long Start { get; init; }
    public required long Duration { get; init; }
    public string? Sha256 { get; init; }
}
