using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Hexcast.Catalog.Subtitles;
using Hexcast.Catalog.Versions;
using Hexcast.Contracts.V1;
using Microsoft.Data.Sqlite;

namespace Hexcast.Catalog.Http;

/// <summary>Catalog's rows and the master's messages → what the HTTP API answers.</summary>
internal static class MediaConversion
{
    public static MediaAnswer ToAnswer(this MediaRow media, SqliteConnection connection)
    {
        // While nothing plays, what the job has made so far.
        var shown = media.Version ?? media.JobId;
        var version = shown is null ? null : VersionTable.Find(connection, shown);
        var uploaded = SubtitleTable.Of(connection, media.MediaId);
        var tracks = SubtitleTracks.Merge(uploaded, version?.Subtitles?.Tracks ?? []);
        return new MediaAnswer
        {
            MediaId = media.MediaId,
            State = media.State.Name(),
            Title = media.Title,
            Filename = media.Filename,
            Tags = media.Tags,
            Policy = media.Policy,
            Tenant = media.Tenant,
            Preset = media.Preset,
            SizeBytes = media.SizeBytes,
            Sha256 = Convert.ToHexStringLower(media.Sha256),
            CreatedAt = Time(media.CreatedAt),
            UpdatedAt = Time(media.UpdatedAt),
            PlayableAt = Time(media.PlayableAt),
            ReadyAt = Time(media.ReadyAt),
            RowVersion = media.RowVersion,
            Version = media.Version,
            Error = media.Error is { } error ? new FaultAnswer(error.Code, error.Message, error.LogTail) : null,
            Source = media.Source?.ToAnswer(),
            Renditions = [.. (version?.Renditions ?? []).Select(ToAnswer)],
            Poster = version is { HasPoster: true },
            Storyboard = version is { HasStoryboard: true },
            Subtitles =
            [
                .. tracks.Select(track => new SubtitleAnswer
                {
                    Id = track.Id,
                    Language = track.Language,
                    Label = track.Label,
                    Default = track.IsDefault,
                    Forced = track.IsForced,
                    Uploaded = uploaded.Any(t => t.Id == track.Id),
                }),
            ],
            SkippedSubtitles =
            [
                .. (version?.Subtitles?.Skipped ?? []).Select(left => new SkippedSubtitleAnswer
                {
                    Codec = left.Codec, Language = left.Language, Reason = left.Reason,
                }),
            ],
            WatchUrl = $"/watch/{media.MediaId}",
        };
    }

    public static JobAnswer ToAnswer(this Job job) => new()
    {
        JobId = job.JobId,
        State = Name(job.State.ToString()),
        Tasks = [.. job.Tasks.Select(ToAnswer)],
    };

    public static TaskAnswer ToAnswer(this JobTask task) => new()
    {
        TaskId = task.TaskId,
        Kind = Name(task.Kind.ToString()),
        State = Name(task.State.ToString()),
        Attempt = (int)task.Attempt,
        NodeId = task.NodeId,
        Fraction = Math.Round(task.Fraction, 4),
        Speed = Math.Round(task.Speed, 3),
        Needs = task.Needs,
        StartedAt = Time(task.StartedAt),
        EndedAt = Time(task.EndedAt),
        Attempts = (int)task.Attempts,
        Failure = task.LastFailure is { } failure
            ? new FaultAnswer(failure.Code, failure.Message, failure.LogTail) : null,
    };

    private static SourceAnswer ToAnswer(this SourceFacts source) => new()
    {
        Container = source.Container,
        VideoCodec = source.VideoCodec,
        AudioCodec = source.AudioCodec,
        Width = source.Width,
        Height = source.Height,
        FrameRate = Rate(source.FrameRate),
        DurationSeconds = Seconds(source.DurationSeconds),
        Frames = source.Frames,
    };

    private static RenditionAnswer ToAnswer(this RenditionFacts rendition) => new()
    {
        Id = rendition.Id,
        Kind = rendition.Kind,
        Codec = rendition.Codec,
        Width = rendition.Width,
        Height = rendition.Height,
        FrameRate = rendition.FrameRate is { } rate ? Rate(rate) : null,
        Channels = rendition.Channels,
        SampleRateHz = rendition.SampleRateHz,
        Segments = rendition.Segments,
        SizeBytes = rendition.SizeBytes,
        AverageBitrate = rendition.AverageBitrate,
        PeakBitrate = rendition.PeakBitrate,
        DurationSeconds = Seconds(rendition.DurationSeconds),
    };

    // As exact as HLS has it: 29.97 for 30000/1001.
    private static double Rate(double framesPerSecond) => Math.Round(framesPerSecond, 3);

    // To the microsecond, which is ffmpeg's own unit.
    private static double Seconds(double seconds) => Math.Round(seconds, 6);

    private static string Name(string enumMember) => JsonNamingPolicy.SnakeCaseLower.ConvertName(enumMember);

    private static DateTimeOffset? Time(Timestamp? time) => time?.ToDateTimeOffset();

    private static DateTimeOffset? Time(long? millis) => millis is { } known ? Time(known) : null;

    private static DateTimeOffset Time(long millis) => DateTimeOffset.FromUnixTimeMilliseconds(millis);
}
