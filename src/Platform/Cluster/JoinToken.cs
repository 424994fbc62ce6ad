using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hexcast.Platform.Identity;

namespace Hexcast.Platform.Cluster;

/// <summary>
/// What a person carries from a node of the cluster to one that joins: <c>hxj_</c> and, in base64url, this record in
/// JSON behind four bytes of its SHA-256, by which a token that was cut off or mistyped is told from a wrong one.
/// </summary>
/// <param name="Addresses">host:port of nodes that let in.</param>
/// <param name="Authority">SHA-256 of the CA's certificate, hexadecimal: who answers has to show that one.</param>
/// <param name="Secret">Known to whoever holds the token; its node keeps the hash.</param>
internal sealed record JoinToken(
    [property: JsonPropertyName("a")] string[] Addresses,
    [property: JsonPropertyName("c")] string Authority,
    [property: JsonPropertyName("i")] string Id,
    [property: JsonPropertyName("s")] byte[] Secret)
{
    public const int SecretBytes = 32;
    public const int AddressLimit = 8;

    private const string Mark = "hxj_";
    private const int IdBytes = 8;
    private const int ChecksumBytes = 4;
    private const int LengthLimit = 4_096;
    private const int AddressLengthLimit = 262;

    public static JoinToken New(string[] addresses, string authority) => new(
        addresses, authority, Convert.ToHexStringLower(IdSource.NewSecret(IdBytes)), IdSource.NewSecret(SecretBytes));

    /// <summary>Null: that is none, or not all of one.</summary>
    public static JoinToken? Parse(string text)
    {
        if (text.Length is 0 or > LengthLimit || !text.StartsWith(Mark, StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            var bytes = Base64Url.DecodeFromChars(text.AsSpan(Mark.Length));
            return bytes.Length > ChecksumBytes
                && Checksum(bytes.AsSpan(ChecksumBytes)).SequenceEqual(bytes.AsSpan(0, ChecksumBytes))
                && JsonSerializer.Deserialize<JoinToken>(bytes.AsSpan(ChecksumBytes)) is { } token
                && token.IsWhole() ? token : null;
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException)
        {
            return null;
        }
    }

    public static bool IsId(string text) => text.Length == 2 * IdBytes && text.All(char.IsAsciiHexDigitLower);

    /// <summary>A host and a port as every node can be told them.</summary>
    public static bool IsAddress(string text) =>
        text.Length <= AddressLengthLimit && Uri.TryCreate($"tcp://{text}", UriKind.Absolute, out var uri)
        && uri.Authority == text && uri.Port > 0;

    public string Text()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this);
        return Mark + Base64Url.EncodeToString([.. Checksum(json), .. json]);
    }

    // Never as a default record would print it.
    public override string ToString() => $"{nameof(JoinToken)} {Id}";

    private static ReadOnlySpan<byte> Checksum(ReadOnlySpan<byte> json) =>
        SHA256.HashData([.. Encoding.ASCII.GetBytes(Mark), .. json]).AsSpan(0, ChecksumBytes);

    private bool IsWhole() =>
        Addresses is { Length: > 0 and <= AddressLimit } && Addresses.All(IsAddress)
        && Authority is { Length: 2 * SHA256.HashSizeInBytes } && Authority.All(char.IsAsciiHexDigitLower)
        && Id is not null && IsId(Id) && Secret is { Length: SecretBytes };
}
