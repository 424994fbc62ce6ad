using System.Text.Json;
using Hexcast.Media.Manifests;
using Hexcast.Media.Planning;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Subtitles;

/// <summary>What an attempt at the subtitles has put into the object store: the object that its commit names.</summary>
public sealed record SubtitleIndex
{
    public const int CurrentVersion = 1;
    public const int MaxJsonBytes = 1 << 20;

    public int Version { get; init; } = CurrentVersion;
    public required IReadOnlyList<StoredSubtitle> Tracks { get; init; }

    /// <summary>What of the source's subtitles is not there, and why.</summary>
    public required IReadOnlyList<SkippedSubtitle> Skipped { get; init; }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, MediaJson.Options);

    /// <exception cref="MediaException">The document is no index, or contradicts itself.</exception>
    public static SubtitleIndex FromJson(ReadOnlySpan<byte> json)
    {
        var index = StoredFile.ReadIndex<SubtitleIndex>(json, MaxJsonBytes);
        index.Check();
        return index;
    }

    private void Check()
    {
        StoredFile.Require(Version == CurrentVersion, $"it has version {Version}");
        StoredFile.Require(
            Tracks.Count <= SubtitlePlans.MaxTracks && Skipped.Count <= SourceLimits.MaxStreams,
            "it has too many tracks");
        StoredFile.Require(
            Tracks.All(t => t?.Track is not null && t.File is not null) && Skipped.All(s => s is not null),
            "an entry is null");
        StoredFile.Require(Tracks.Select(t => t.Track.Id).Distinct(StringComparer.Ordinal).Count() == Tracks.Count,
            "a track is there twice");
        foreach (var (track, file) in Tracks.Select(t => (t.Track, t.File)))
        {
            StoredFile.Require(MediaJson.IsPathName(track.Id) && track.Id.StartsWith(
                SubtitlePlans.IdPrefix, StringComparison.Ordinal), "a track's id is not safe in a path");
            StoredFile.Require(Languages.Normalize(track.Language) == track.Language, $"{track.Id} has no language");
            StoredFile.Require(SubtitlePlans.Label(track.Label) == track.Label, $"{track.Id} has no proper label");
            file.Check();
        }
    }
}

public sealed record StoredSubtitle
{
    public required SubtitlePlan Track { get; init; }
    public required StoredFile File { get; init; }
}
