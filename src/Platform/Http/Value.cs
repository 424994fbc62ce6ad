using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Hexcast.Platform.Http;

/// <summary>What a parameter may be.</summary>
public static class Value
{
    public static OpenApiSchema Text(int? maxLength = null, string? pattern = null) =>
        new() { Type = JsonSchemaType.String, MaxLength = maxLength, Pattern = pattern };

    public static OpenApiSchema Number(long min, long? max = null, long? otherwise = null) => new()
    {
        Type = JsonSchemaType.Integer,
        Minimum = min.ToString(CultureInfo.InvariantCulture),
        Maximum = max?.ToString(CultureInfo.InvariantCulture),
        Default = otherwise is { } value ? JsonValue.Create(value) : null,
    };

    public static OpenApiSchema OneOf(IEnumerable<string> names, string? otherwise = null) => new()
    {
        Type = JsonSchemaType.String,
        Enum = [.. names.Select(name => JsonValue.Create(name))],
        Default = otherwise is null ? null : JsonValue.Create(otherwise),
    };

    /// <summary>Given several times.</summary>
    public static OpenApiSchema Several(OpenApiSchema item, int limit) =>
        new() { Type = JsonSchemaType.Array, Items = item, MaxItems = limit };

    /// <summary>26 characters of lower-case Crockford base32.</summary>
    public static OpenApiSchema MediaId() => Text(pattern: "^[0-9a-hjkmnp-tv-z]{26}$");
}
