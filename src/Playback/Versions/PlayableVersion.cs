using System.Collections.Concurrent;
using System.Collections.Frozen;
using Hexcast.Contracts;
using Hexcast.Media.Manifests;
using Hexcast.Playback.Manifests;

namespace Hexcast.Playback.Versions;

/// <summary>Who may fetch a media's playback paths.</summary>
internal enum AccessPolicy
{
    Public,
    Signed,
}

/// <summary>
/// One revision of a version, as everything under /play needs it. Immutable, but for the manifests that are made of it
/// once and kept.
/// </summary>
internal sealed class PlayableVersion
{
    private readonly ConcurrentDictionary<string, ManifestBytes> manifests = new(StringComparer.Ordinal);

    public required MediaId MediaId { get; init; }
    public required string Version { get; init; }
    public required AccessPolicy Policy { get; init; }
    public required string Tenant { get; init; }
    public required long Revision { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When this revision was first seen here.</summary>
    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>The trace of the upload that it was made of; "" where there is none.</summary>
    public string Traceparent { get; init; } = "";

    /// <summary>Somebody has played it, here or elsewhere, before it was asked for.</summary>
    public bool Played { get; init; }

    public required VersionIndex Index { get; init; }
    public required FrozenDictionary<string, PlayableRendition> Renditions { get; init; }

    /// <summary>The whole image; null while there is none.</summary>
    public ObjectSlice? Poster { get; init; }

    /// <summary>Null while there is none, and in versions that were made before there were any.</summary>
    public PlayableStoryboard? Storyboard { get; init; }

    /// <summary>The files of the text tracks, by the tracks' ids.</summary>
    public required FrozenDictionary<string, ObjectSlice> Subtitles { get; init; }

    /// <summary>What the cache counts: a segment is a few dozen bytes here and in the manifests.</summary>
    public int Weight => 1 + Index.Renditions.Sum(r => r.Segments.Count);

    /// <summary>True: this one's manifests serve as well.</summary>
    public bool IsSameAs(PlayableVersion other) =>
        Version == other.Version && Revision == other.Revision && Policy == other.Policy &&
        Index.Complete == other.Index.Complete && Poster == other.Poster;

    /// <summary>The manifest that <paramref name="name"/> stands for, made on first use.</summary>
    public ManifestBytes Manifest(string name, Func<PlayableVersion, ManifestBytes> make) =>
        manifests.TryGetValue(name, out var made) ? made : manifests.GetOrAdd(name, make(this));
}

/// <summary>What the pictures show, and where the sheets lie.</summary>
internal sealed record PlayableStoryboard(StoryboardIndex Index, IReadOnlyList<ObjectSlice> Sheets);

/// <summary>Where each segment of a rendition lies.</summary>
internal sealed record PlayableRendition(string ContentType, ObjectSlice Init, IReadOnlyList<ObjectSlice> Segments)
{
    public const int FirstSegment = 1;

    public ObjectSlice? Segment(int number) =>
        number >= FirstSegment && number - FirstSegment < Segments.Count ? Segments[number - FirstSegment] : null;
}

/// <summary>A run of bytes of an immutable object.</summary>
internal readonly record struct ObjectSlice(string Key, long Offset, long Length, string ETag);
