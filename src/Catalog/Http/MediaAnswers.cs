using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Hexcast.Catalog.Http;

internal record MediaAnswer
{
    public required string MediaId { get; init; }
    [AllowedValues("uploaded", "processing", "playable", "ready", "failed")]
    public required string State { get; init; }
    public required string Title { get; init; }
    public required string Filename { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    [AllowedValues("public", "signed")]
    public required string Policy { get; init; }
    public required string Tenant { get; init; }
    public required string Preset { get; init; }
    public required long SizeBytes { get; init; }
    public required string Sha256 { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    [Description("When it first could be played.")]
    public required DateTimeOffset? PlayableAt { get; init; }

    [Description("When all of it first was there.")]
    public required DateTimeOffset? ReadyAt { get; init; }

    [Description("Grows with each change; the `ETag` is it, quoted.")]
    public required long RowVersion { get; init; }

    [Description("What plays, part of the segments' addresses.")]
    public required string? Version { get; init; }

    [Description("Why it failed.")]
    public required FaultAnswer? Error { get; init; }

    [Description("Null until it is probed.")]
    public required SourceAnswer? Source { get; init; }

    [Description("Of the version that plays, or else what the job has made so far.")]
    public required IReadOnlyList<RenditionAnswer> Renditions { get; init; }

    [Description("Whether there is a picture.")]
    public required bool Poster { get; init; }

    [Description("Whether there are small pictures of the whole video.")]
    public required bool Storyboard { get; init; }

    [Description("The text tracks.")]
    public required IReadOnlyList<SubtitleAnswer> Subtitles { get; init; }

    [Description("What of the source's subtitles became no track.")]
    public required IReadOnlyList<SkippedSubtitleAnswer> SkippedSubtitles { get; init; }
    public required string WatchUrl { get; init; }
}

internal sealed record MediaWithJobAnswer : MediaAnswer
{
    public MediaWithJobAnswer()
    {
    }

    [SetsRequiredMembers]
    private MediaWithJobAnswer(MediaAnswer media, JobAnswer? job) : base(media) => Job = job;

    [Description("Null when there is none yet, or when the master does not answer within 2 s.")]
    [JsonPropertyOrder(1)]
    public required JobAnswer? Job { get; init; }

    public static MediaWithJobAnswer Of(MediaAnswer media, JobAnswer? job) => new(media, job);
}

internal sealed record MediaPageAnswer
{
    public required IReadOnlyList<MediaAnswer> Media { get; init; }

    [Description("The `cursor` of the next page; null on the last.")]
    public required string? NextCursor { get; init; }
}

internal sealed record FaultAnswer(
    [property: Description("See docs/operations/errors.md.")] string Code,
    string Message,
    [property: Description("The last lines of the tool that failed.")] string LogTail);

internal sealed record SourceAnswer
{
    public required string Container { get; init; }
    public required string VideoCodec { get; init; }

    [Description("Null without sound.")]
    public required string? AudioCodec { get; init; }
    public required int Width { get; init; }
    public required int Height { get; init; }
    public required double FrameRate { get; init; }
    public required double DurationSeconds { get; init; }
    public required long Frames { get; init; }
}

internal sealed record RenditionAnswer
{
    public required string Id { get; init; }

    [Description("What the other kind has is null.")]
    [AllowedValues("video", "audio")]
    public required string Kind { get; init; }

    [Description("RFC 6381, such as `avc1.64001f`.")]
    public required string Codec { get; init; }
    public required int? Width { get; init; }
    public required int? Height { get; init; }
    public required double? FrameRate { get; init; }
    public required int? Channels { get; init; }
    public required int? SampleRateHz { get; init; }
    public required int Segments { get; init; }
    public required long SizeBytes { get; init; }

    [Description("Bit/s, measured over the whole rendition.")]
    public required long AverageBitrate { get; init; }

    [Description("Bit/s, of the segment with the highest.")]
    public required long PeakBitrate { get; init; }
    public required double DurationSeconds { get; init; }
}

internal sealed record SubtitleAnswer
{
    public required string Id { get; init; }

    [Description("BCP 47; `und` where the source does not say.")]
    public required string Language { get; init; }

    [Description("Unique among the media's tracks.")]
    public required string Label { get; init; }

    [Description("Shown unless the viewer says otherwise.")]
    public required bool Default { get; init; }

    [Description("Only what a viewer who understands the sound needs.")]
    public required bool Forced { get; init; }

    [Description("It was uploaded beside the media, not found in it.")]
    public required bool Uploaded { get; init; }
}

internal sealed record SkippedSubtitleAnswer
{
    public required string Codec { get; init; }
    public required string Language { get; init; }

    [Description("For people.")]
    public required string Reason { get; init; }
}

internal sealed record JobAnswer
{
    public required string JobId { get; init; }
    [AllowedValues("running", "done", "failed", "cancelled")]
    public required string State { get; init; }
    public required IReadOnlyList<TaskAnswer> Tasks { get; init; }
}

internal sealed record TaskAnswer
{
    public required string TaskId { get; init; }
    [AllowedValues("probe", "encode_chunk", "encode_audio", "poster", "subtitles", "storyboard", "publish")]
    public required string Kind { get; init; }
    [AllowedValues("pending", "ready", "assigned", "running", "committed", "failed", "cancelled")]
    public required string State { get; init; }

    [Description("The attempt that runs or ran last, from 1; 0 before the first.")]
    public required int Attempt { get; init; }
    public required string NodeId { get; init; }

    [Description("0 to 1.")]
    public required double Fraction { get; init; }

    [Description("Times realtime while it encodes, otherwise 0.")]
    public required double Speed { get; init; }

    [Description("The tasks that must be committed before it can begin.")]
    public required IReadOnlyList<string> Needs { get; init; }

    [Description("Of the last attempt.")]
    public required DateTimeOffset? StartedAt { get; init; }

    [Description("Of the last attempt.")]
    public required DateTimeOffset? EndedAt { get; init; }

    [Description("How many there have been.")]
    public required int Attempts { get; init; }

    [Description("Of the last attempt that failed, also where a later one did not.")]
    public required FaultAnswer? Failure { get; init; }
}
