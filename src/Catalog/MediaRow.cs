using Hexcast.Contracts.V1;

namespace Hexcast.Catalog;

/// <summary>A media as Catalog keeps it. Times are Unix milliseconds.</summary>
internal sealed record MediaRow
{
    public long Id { get; init; }
    public required string MediaId { get; init; }
    public required MediaState State { get; init; }
    public required string Title { get; init; }
    public required string Filename { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    public required string Policy { get; init; }

    /// <summary>Whose it is. It never changes.</summary>
    public required string Tenant { get; init; }
    public required string Preset { get; init; }
    public required string Class { get; init; }
    public string Traceparent { get; init; } = "";
    public required long SizeBytes { get; init; }
    public required byte[] Sha256 { get; init; }
    public required string SourceKey { get; init; }
    public required long CreatedAt { get; init; }
    public required long UpdatedAt { get; init; }
    public long? PlayableAt { get; init; }
    public long? ReadyAt { get; init; }
    public required long RowVersion { get; init; }

    /// <summary>The job that makes, or made, the newest version; it is also that version's id.</summary>
    public string? JobId { get; init; }

    /// <summary>The version that plays.</summary>
    public string? Version { get; init; }

    /// <summary>What the probe said of the source.</summary>
    public SourceFacts? Source { get; init; }
    public double DurationSeconds { get; init; }
    public MediaFault? Error { get; init; }
}

internal sealed record MediaFault(string Code, string Message, string LogTail);

internal static class MediaStates
{
    public static readonly IReadOnlyList<string> Names = ["uploaded", "processing", "playable", "ready", "failed"];

    public static string Name(this MediaState state) => Names[(int)state - 1];

    public static MediaState Parse(string name) => (MediaState)(Names.ToList().IndexOf(name) + 1);
}

internal static class Policies
{
    public const string Public = "public";
    public const string Signed = "signed";
}
