using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;

namespace Hexcast.Coordination.Discovery;

/// <summary>
/// One node's offer of one role: the key <c>/hexcast/services/{role}/{node}</c>, which lives as long as the node's
/// lease, and as its value, in JSON, where it can be reached.
/// </summary>
/// <param name="Grpc">host:port of its gRPC listener.</param>
internal sealed record ServiceAddress(string Role, string Node, string Grpc)
{
    public const string Prefix = "/hexcast/services/";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    public string Key => KeyOf(Role, Node);

    public ByteString Value => ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(new Reach(Grpc), Json));

    public static string KeyOf(string role, string node) => $"{Prefix}{role}/{node}";

    /// <summary>Null where the key or its value is nobody's offer: it was not written by a node.</summary>
    public static ServiceAddress? From(string key, ByteString value)
    {
        var parts = key.StartsWith(Prefix, StringComparison.Ordinal) ? key[Prefix.Length..].Split('/') : [];
        try
        {
            return parts.Length == 2
                && JsonSerializer.Deserialize<Reach>(value.Span, Json) is { Grpc: { } grpc } reach
                && Uri.TryCreate($"tcp://{grpc}", UriKind.Absolute, out var uri)
                && uri.Authority == grpc && uri.Port > 0
                ? new ServiceAddress(parts[0], parts[1], reach.Grpc)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Reach(string Grpc);
}
