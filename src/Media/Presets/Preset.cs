namespace Hexcast.Media.Presets;

/// <summary>
/// What to make of a source. Presets are YAML files (snake_case keys) that bind to these records, so every
/// property has a setter and a default.
/// </summary>
public sealed partial record Preset
{
    public string Name { get; init; } = "";

    /// <summary>The ladder, in any order. Rungs above the source are left out, so the highest is a ceiling.</summary>
    /// <remarks>Not IReadOnlyList, which YAML binding cannot fill.</remarks>
    public IList<VideoRung> Video { get; init; } = [];

    public AudioSettings Audio { get; init; } = new();

    /// <summary>Distance of key frames; every GOP is closed.</summary>
    public TimeSpan Gop { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Length of a segment: a whole number of GOPs.</summary>
    public TimeSpan Segment { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Length of the first segment, which a viewer waits for; null is as the others.</summary>
    public TimeSpan? FirstSegment { get; init; }
}

public sealed record VideoRung
{
    /// <summary>The short side in pixels: 1080 is 1920x1080, or 1080x1920 when the source is upright.</summary>
    public int Height { get; init; }

    /// <summary>Ceiling at up to 30 frames/s; half as much again above that.</summary>
    public int MaxBitrateKbps { get; init; }

    /// <summary>Constant rate factor of x264, 0–51; lower is better and larger.</summary>
    public double Crf { get; init; } = 23;

    public string X264Preset { get; init; } = "veryfast";

    /// <summary>H.264 profile: baseline, main or high.</summary>
    public string Profile { get; init; } = "high";
}

public sealed record AudioSettings
{
    public int BitrateKbps { get; init; } = 128;
    public int SampleRateHz { get; init; } = 48_000;
    public int Channels { get; init; } = 2;
}
