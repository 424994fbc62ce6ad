namespace Hexcast.Media;

/// <summary>
/// What is wrong with a source, a plan or an encoder's output. The wire name is <see cref="MediaErrors.WireName"/>.
/// </summary>
public enum MediaErrorCode
{
    /// <summary>No known container could be recognised, or it is one that can name other files.</summary>
    SourceNotMedia,
    /// <summary>The container is known but holds no decodable video stream.</summary>
    SourceNoVideo,
    /// <summary>The file ends long before what its index promises.</summary>
    SourceTruncated,
    /// <summary>The container, codec or its timestamps are not supported.</summary>
    SourceUnsupportedFormat,
    /// <summary>A named limit (dimension, duration, frames, streams) is exceeded.</summary>
    SourceTooLarge,
    /// <summary>
    /// ffprobe printed something that cannot be understood: a broken installation, not a broken source.
    /// </summary>
    ProbeUnreadable,
    /// <summary>An encoder's fragmented MP4 is malformed, truncated or over a limit.</summary>
    FragmentMalformed,
    /// <summary>A stored plan is malformed or contradicts itself.</summary>
    PlanInvalid,
    /// <summary>A stored attempt index is malformed or contradicts itself.</summary>
    IndexInvalid,
    /// <summary>A subtitle file is no text, or over a limit.</summary>
    SubtitleUnreadable,
    /// <summary>The preset is not usable; the message lists its problems.</summary>
    PresetInvalid,
}

public static class MediaErrors
{
    /// <summary>The stable name that people and other programs see, such as <c>source_no_video</c>.</summary>
    public static string WireName(this MediaErrorCode code) => code switch
    {
        MediaErrorCode.SourceNotMedia => "source_not_media",
        MediaErrorCode.SourceNoVideo => "source_no_video",
        MediaErrorCode.SourceTruncated => "source_truncated",
        MediaErrorCode.SourceUnsupportedFormat => "source_unsupported_format",
        MediaErrorCode.SourceTooLarge => "source_too_large",
        MediaErrorCode.ProbeUnreadable => "probe_unreadable",
        MediaErrorCode.FragmentMalformed => "fragment_malformed",
        MediaErrorCode.PlanInvalid => "plan_invalid",
        MediaErrorCode.IndexInvalid => "index_invalid",
        MediaErrorCode.SubtitleUnreadable => "subtitle_unreadable",
        MediaErrorCode.PresetInvalid => "preset_invalid",
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, message: null),
    };
}

public sealed class MediaException(MediaErrorCode code, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public MediaErrorCode Code { get; } = code;
}
