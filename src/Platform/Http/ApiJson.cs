using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Hexcast.Platform.Http;

/// <summary>JSON as the API writes it: names in snake case, times in UTC to the millisecond.</summary>
public static class ApiJson
{
    private static readonly JsonSerializerOptions Options = MakeOptions();

    public static string Write<T>(T answer) => JsonSerializer.Serialize(answer, Options);

    internal static void Configure(JsonSerializerOptions json)
    {
        json.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        json.NumberHandling = JsonNumberHandling.Strict;
        // It is never put into HTML: names that people gave stay readable.
        json.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        json.Converters.Add(new ApiTime());
    }

    private static JsonSerializerOptions MakeOptions()
    {
        var json = new JsonSerializerOptions { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        Configure(json);
        json.MakeReadOnly();
        return json;
    }
}

/// <summary>RFC 3339 in UTC, to the millisecond.</summary>
public sealed class ApiTime : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.fffZ"));
}
