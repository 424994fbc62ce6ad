using System.Text.Json;
using System.Text.Json.Serialization;
using Hexcast.Platform.Errors;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Http;

/// <summary>Small JSON bodies: read whole within a limit, in snake case, and nothing unknown in them.</summary>
public static class JsonBody
{
    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        MaxDepth = 8,
    };

    /// <param name="expected">What the body must be, for whoever sent another.</param>
    /// <param name="whenEmpty">What no body stands for; null where there must be one.</param>
    /// <exception cref="HexcastException">too_large, invalid_argument</exception>
    public static async Task<T> ReadAsync<T>(
        HttpRequest request, int limitBytes, string expected, T? whenEmpty = null) where T : class
    {
        var bytes = await ReadBytesAsync(request, limitBytes);
        if (bytes.IsEmpty && whenEmpty is not null)
        {
            return whenEmpty;
        }

        try
        {
            return JsonSerializer.Deserialize<T>(bytes.Span, Strict) ?? throw Invalid(expected, "it is null");
        }
        catch (JsonException bad)
        {
            throw Invalid(expected, bad.Message);
        }
    }

    /// <exception cref="HexcastException">too_large</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(HttpRequest request, int limitBytes)
    {
        var buffer = new byte[limitBytes + 1];
        var length = await request.Body.ReadAtLeastAsync(
            buffer, buffer.Length, throwOnEndOfStream: false, request.HttpContext.RequestAborted);
        return length <= limitBytes
            ? buffer.AsMemory(0, length)
            : throw new HexcastException(ErrorCodes.TooLarge, $"The body is larger than {limitBytes} bytes.");
    }

    private static HexcastException Invalid(string expected, string why) =>
        new(ErrorCodes.InvalidArgument, $"The body must be {expected}: {why}");
}
