using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Hexcast.Contracts;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Manifests;
using Hexcast.Platform.Errors;
using Wire = Hexcast.Contracts.V1;

namespace Hexcast.Playback.Versions;

/// <summary>Catalog's index of a version → what Playback serves from.</summary>
internal static class IndexConversion
{
    public static PlayableVersion ToPlayable(this Wire.VersionIndex wire, MediaId mediaId, DateTimeOffset now) => new()
    {
        MediaId = mediaId,
        Version = wire.Version,
        Revision = wire.Revision,
        SeenAt = now,
        Traceparent = wire.Traceparent,
        Played = wire.Played,
        Policy = ToPolicy(wire.Policy),
        Tenant = wire.Tenant,
        CreatedAt = wire.CreatedAt?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch,
        Poster = wire.Poster is { } poster ? Whole(poster) : null,
        Storyboard = wire.Storyboard is { } storyboard ? ToStoryboard(storyboard) : null,
        Subtitles = wire.Subtitles.ToFrozenDictionary(t => t.Id, t => Whole(t.Text), StringComparer.Ordinal),
        Index = new VersionIndex
        {
            Complete = wire.Complete,
            DurationSeconds = wire.DurationSeconds,
            TargetDurationSeconds = wire.TargetDurationSeconds,
            Renditions = [.. wire.Renditions.Select(ToTrack)],
            Subtitles =
            [
                .. wire.Subtitles.Select(track => new TextTrack
                {
                    Id = track.Id,
                    Language = track.Language,
                    Label = track.Label,
                    IsDefault = track.IsDefault,
                    IsForced = track.IsForced,
                    LengthBytes = track.Text.Length,
                }),
            ],
        },
        Renditions = wire.Renditions.ToFrozenDictionary(r => r.Id, ToRendition, StringComparer.Ordinal),
    };

    /// <summary>Anything but "public" is closed: a policy of a newer Catalog must not open a media.</summary>
    public static AccessPolicy ToPolicy(string policy) =>
        policy is "public" or "" ? AccessPolicy.Public : AccessPolicy.Signed;

    private static ObjectSlice Whole(Wire.ObjectRef named) =>
        new(named.Key, 0, named.Length, $"\"{Base64Url.EncodeToString(named.Sha256.Span)[..16]}\"");

    private static PlayableStoryboard ToStoryboard(Wire.StoryboardIndex wire) => new(
        new StoryboardIndex
        {
            TileWidth = wire.TileWidth,
            TileHeight = wire.TileHeight,
            Columns = wire.Columns,
            Rows = wire.Rows,
            StartSeconds = [.. wire.StartSeconds],
            EndSeconds = wire.EndSeconds,
            Sheets = [],
        },
        [.. wire.Sheets.Select(Whole)]);

    private static RenditionTrack ToTrack(Wire.RenditionIndex wire) => new()
    {
        Id = wire.Id,
        Kind = wire.Kind == Wire.TrackKind.Audio ? TrackKind.Audio : TrackKind.Video,
        Codec = wire.Codec,
        Width = wire.Width,
        Height = wire.Height,
        FrameRate = wire.FrameRate,
        Channels = wire.Channels,
        SampleRateHz = wire.SampleRateHz,
        Timescale = wire.Timescale,
        Segments = [.. wire.Parts.SelectMany(part => part.Starts.Select((start, i) =>
            new SegmentEntry(part.FirstSegment + i, start, part.Durations[i], checked((int)part.Lengths[i]))))],
    };

    private static PlayableRendition ToRendition(Wire.RenditionIndex wire)
    {
        if (wire.Parts.Count == 0)
        {
            throw Broken(wire.Id, "it has no parts");
        }

        var segments = new List<ObjectSlice>();
        foreach (var part in wire.Parts)
        {
            if (part.FirstSegment != PlayableRendition.FirstSegment + segments.Count)
            {
                throw Broken(wire.Id, $"segment {part.FirstSegment} follows {segments.Count}");
            }

            var mark = MarkOf(part.ObjectKey);
            segments.AddRange(part.Offsets.Zip(part.Lengths, (offset, length) => Slice(part, offset, length, mark)));
        }

        var first = wire.Parts[0];
        return new PlayableRendition(
            wire.Kind == Wire.TrackKind.Audio ? "audio/mp4" : "video/mp4",
            Slice(first, wire.InitOffset, wire.InitLength, MarkOf(first.ObjectKey)),
            segments.ToArray());

        ObjectSlice Slice(Wire.RenditionPart part, long offset, long length, string mark) =>
            offset >= 0 && length > 0 && offset + length <= part.ObjectLength
                ? new ObjectSlice(part.ObjectKey, offset, length, $"\"{mark}-{offset:x}-{length:x}\"")
                : throw Broken(wire.Id, $"{offset}+{length} lies outside {part.ObjectKey}");
    }

    /// <summary>Objects never change, so a digest of the key names the content as well as one of the bytes.</summary>
    private static string MarkOf(string key) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 9));

    private static HexcastException Broken(string rendition, string why) =>
        new(ErrorCodes.Internal, $"Catalog's index of rendition {rendition} cannot be served: {why}.");
}
