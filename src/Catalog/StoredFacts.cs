using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hexcast.Catalog;

/// <summary>What the probe said of a source.</summary>
internal sealed record SourceFacts
{
    public required string Container { get; init; }
    public required string VideoCodec { get; init; }
    public required string? AudioCodec { get; init; }
    public required int Width { get; init; }
    public required int Height { get; init; }
    public required double FrameRate { get; init; }
    public required double DurationSeconds { get; init; }
    public required long Frames { get; init; }
}

/// <summary>What is measured of a rendition. Bit rates are bit/s.</summary>
internal sealed record RenditionFacts
{
    public required string Id { get; init; }

    /// <summary>"video" or "audio"; what the other kind has is null.</summary>
    public required string Kind { get; init; }
    public required string Codec { get; init; }
    public required int? Width { get; init; }
    public required int? Height { get; init; }
    public required double? FrameRate { get; init; }
    public required int? Channels { get; init; }
    public required int? SampleRateHz { get; init; }
    public required int Segments { get; init; }
    public required long SizeBytes { get; init; }
    public required long AverageBitrate { get; init; }
    public required long PeakBitrate { get; init; }
    public required double DurationSeconds { get; init; }
}

/// <summary>
/// Facts as they stand in the database's columns, whatever the API answers. Rows of older versions must stay readable:
/// what is added here is not required, and nothing changes its name.
/// </summary>
internal static class StoredJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // Never put into HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write<T>(T facts) => JsonSerializer.Serialize(facts, Options);

    /// <exception cref="JsonException">It is something else.</exception>
    public static T Read<T>(string json) where T : class =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException("It is null.");
}
