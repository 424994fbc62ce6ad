namespace Hexcast.Media.Probing;

/// <summary>What a source may ask for before it is refused.</summary>
public static class SourceLimits
{
    public const int MaxProbeJsonBytes = 16 << 20;
    public const int MaxStreams = 256;

    /// <summary>Below it x264 and players disagree about what a picture is.</summary>
    public const int MinDimension = 16;
    public const int MaxDimension = 8192;

    /// <summary>A day at 60 frames/s.</summary>
    public const int MaxFrames = 5_184_000;
    public const double MaxDurationSeconds = 24 * 3600;

    /// <summary>How much less than an MP4's index promises may be there: the larger of the two.</summary>
    public const double MaxMissingSeconds = 2;
    public const double MaxMissingShare = 0.02;

    public const int MaxPacketLineChars = 4096;
}
