using System.Text.Json;

namespace Hexcast.Media;

/// <summary>How plans and indexes are stored.</summary>
internal static class MediaJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        MaxDepth = 16,
    };

    private const int MaxPathNameChars = 64;

    /// <summary>One path component that needs no escaping anywhere.</summary>
    public static bool IsPathName(string? name) => name is { Length: > 0 and <= MaxPathNameChars } && name[0] != '.'
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
