namespace Hexcast.Media.Probing;

/// <summary>What ffprobe says of a source, reduced to what planning needs.</summary>
public sealed partial record SourceProbe
{
    /// <summary>ffmpeg's name of the demuxer, such as <c>mov,mp4,m4a,3gp,3g2,mj2</c>.</summary>
    public required string FormatName { get; init; }

    /// <summary>
    /// As the container claims; null where it does not say. The plan's duration comes from the packets.
    /// </summary>
    public double? DurationSeconds { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>The first video stream that is not an attached picture.</summary>
    public VideoStream? Video { get; init; }

    /// <summary>The default audio stream, or the first.</summary>
    public AudioStream? Audio { get; init; }

    /// <summary>All of them, whatever they are made of.</summary>
    public IReadOnlyList<SubtitleStream> Subtitles { get; init; } = [];
}

public sealed record VideoStream
{
    public required int Index { get; init; }
    public required string Codec { get; init; }

    /// <summary>Display width in square pixels: sample aspect ratio and rotation are applied.</summary>
    public required int Width { get; init; }

    /// <summary>Display height in square pixels: sample aspect ratio and rotation are applied.</summary>
    public required int Height { get; init; }

    /// <summary>Seconds a tick of the stream's timestamps.</summary>
    public required Rational TimeBase { get; init; }

    /// <summary>From the first frame on, as the container claims; null where it does not say of this stream.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>The average frame rate that the container claims, where it does.</summary>
    public Rational? FrameRate { get; init; }

    public string? PixelFormat { get; init; }

    /// <summary>tv, pc, or null where the source does not say.</summary>
    public string? ColorRange { get; init; }
    public string? ColorSpace { get; init; }
    public string? ColorTransfer { get; init; }
    public string? ColorPrimaries { get; init; }

    /// <summary>0, 90, 180 or 270, clockwise, as the picture must be turned for display.</summary>
    public int RotationDegrees { get; init; }

    public bool Interlaced { get; init; }
}

public sealed record AudioStream
{
    public required int Index { get; init; }
    public required string Codec { get; init; }
    public required int SampleRateHz { get; init; }
    public required int Channels { get; init; }

    /// <summary>Null where the container does not say.</summary>
    public double? StartSeconds { get; init; }
}

public sealed record SubtitleStream
{
    public required int Index { get; init; }
    public required string Codec { get; init; }

    /// <summary>As the container writes it; null where it does not say.</summary>
    public string? Language { get; init; }

    /// <summary>What the source's maker called it; untrusted.</summary>
    public string? Title { get; init; }

    public bool IsDefault { get; init; }
    public bool IsForced { get; init; }
}
