using System.Text.Json;

namespace Hexcast.App.Client;

internal static class Wire
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>For standard output.</summary>
    public static readonly JsonSerializerOptions Indented = new(Json)
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}

/// <summary>RFC 9457 problem details, as every path of the API answers a failure.</summary>
internal sealed record Problem(string? Code, string? Title, string? Detail);

internal sealed record MediaPage(IReadOnlyList<MediaDocument> Media, string? NextCursor);

internal sealed record TokenRequest(string Name, IReadOnlyList<string> Scopes, string? Tenant, long? ExpiresIn);

internal sealed record TokenList(IReadOnlyList<TokenDocument> Tokens);

/// <summary>A token as the HTTP API shows it; with its secret only when it was made.</summary>
internal sealed record TokenDocument
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public IReadOnlyList<string> Scopes { get; init; } = [];
    public string? Tenant { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? LastUsedAt { get; init; }
    public string? Secret { get; init; }
}

/// <summary>One media as the HTTP API shows it.</summary>
internal sealed record MediaDocument
{
    public required string MediaId { get; init; }

    /// <summary>uploaded, processing, playable, ready or failed.</summary>
    public required string State { get; init; }

    public string? Title { get; init; }
    public string? Filename { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
    public string? Policy { get; init; }
    public string? Tenant { get; init; }
    public string? Preset { get; init; }
    public long SizeBytes { get; init; }
    public string? Sha256 { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? PlayableAt { get; init; }
    public DateTimeOffset? ReadyAt { get; init; }
    public MediaFailure? Error { get; init; }
    public SourceFacts? Source { get; init; }
    public IReadOnlyList<RenditionFacts> Renditions { get; init; } = [];
    public string? WatchUrl { get; init; }
    public JobFacts? Job { get; init; }

    public bool IsReady => State == "ready";

    public bool IsFailed => State == "failed";

    public bool IsPlayable => State is "playable" or "ready";

    public string Name => string.IsNullOrEmpty(Title) ? Filename ?? MediaId : Title;
}

/// <summary>What <c>POST /v1/media/{id}/playback</c> grants.</summary>
internal sealed record PlaybackLinks(string Policy, string? Token, DateTimeOffset? ExpiresAt);

/// <param name="ExpiresAt">Null: it does not end.</param>
internal sealed record WatchLink(Uri WatchUrl, string Policy, DateTimeOffset? ExpiresAt);

internal sealed record MediaFailure(string? Code, string? Message, string? LogTail);

internal sealed record SourceFacts
{
    public string? Container { get; init; }
    public string? VideoCodec { get; init; }
    public string? AudioCodec { get; init; }
    public int Width { get; init; }
    public int Height { get; init; }
    public double? FrameRate { get; init; }
    public double DurationSeconds { get; init; }
    public long Frames { get; init; }
}

internal sealed record RenditionFacts
{
    public required string Id { get; init; }
    public string? Kind { get; init; }
    public string? Codec { get; init; }
    public int? Width { get; init; }
    public int? Height { get; init; }
    public double? FrameRate { get; init; }
    public int? Channels { get; init; }
    public int Segments { get; init; }
    public long SizeBytes { get; init; }
    public long AverageBitrate { get; init; }
    public long PeakBitrate { get; init; }
}

internal sealed record JobFacts(string? JobId, string? State, IReadOnlyList<TaskFacts>? Tasks);

internal sealed record TaskProgress(IReadOnlyList<TaskFacts>? Tasks);

internal sealed record TaskFacts
{
    public required string TaskId { get; init; }

    /// <summary>probe, encode_chunk, encode_audio, poster, storyboard, subtitles or publish.</summary>
    public required string Kind { get; init; }

    public required string State { get; init; }
    public int Attempt { get; init; }
    public string? NodeId { get; init; }

    /// <summary>0 to 1 of this task's own work.</summary>
    public double? Fraction { get; init; }

    /// <summary>Media seconds encoded in a second.</summary>
    public double? Speed { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The last one, also of a task that succeeded since.</summary>
    public MediaFailure? Failure { get; init; }
}

internal sealed record NodesDocument(IReadOnlyList<NodeFacts> Nodes, string? MasterNodeId, long? Fence);

internal sealed record DrainDocument(string NodeId, int Running);

internal sealed record NodeFacts
{
    public required string NodeId { get; init; }
    public bool Connected { get; init; }
    public DateTimeOffset? Since { get; init; }
    public bool Draining { get; init; }
    public bool Leaving { get; init; }
    public string? Zone { get; init; }
    public int Slots { get; init; }

    /// <summary>Of all processors; 1 is all of them busy.</summary>
    public double CpuLoad { get; init; }
    public long MemoryFreeBytes { get; init; }
    public long MemoryTotalBytes { get; init; }
    public long ScratchFreeBytes { get; init; }
    public IReadOnlyList<RunningAttempt> Running { get; init; } = [];
}

internal sealed record RunningAttempt
{
    public required string TaskId { get; init; }
    public int Attempt { get; init; }
    public string? MediaId { get; init; }
    public string? Class { get; init; }
    public double Fraction { get; init; }
    public double Speed { get; init; }
    public DateTimeOffset? Since { get; init; }
}

internal sealed record QueuesDocument(
    IReadOnlyList<ClassFacts> Classes, IReadOnlyList<QueuedJobFacts> Jobs, int UnfinishedJobs);

internal sealed record ClassFacts(string Class, int Jobs, int Ready, int Running, double OldestWaitSeconds);

internal sealed record QueuedJobFacts
{
    public required string JobId { get; init; }
    public required string MediaId { get; init; }
    public required string Class { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public int Tasks { get; init; }
    public int Ready { get; init; }
    public int Running { get; init; }
    public int Committed { get; init; }
    public int Retrying { get; init; }
}
