using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hexcast.Platform.ObjectStore;
using Microsoft.IdentityModel.Tokens;

namespace Hexcast.Playback.Tokens;

/// <summary>
/// The keys of playback tokens: a JSON Web Key Set (RFC 7517) in a file that only this user can read. The first key
/// signs, all verify: to rotate, put a new one first and take the old one out once its tokens have expired. ES256, so
/// that an edge can be given the public half and verify without being able to sign.
/// </summary>
internal sealed class KeyRing
{
    public const string Algorithm = SecurityAlgorithms.EcdsaSha256;

    private const string Curve = "P-256";
    private const int KeyLimit = 16, FileLimitBytes = 64 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private KeyRing(IReadOnlyList<ECDsaSecurityKey> keys)
    {
        All = keys;
        Signing = new SigningCredentials(keys[0], Algorithm);
    }

    public IReadOnlyList<ECDsaSecurityKey> All { get; }

    public SigningCredentials Signing { get; }

    /// <summary>Reads the file; the first start makes it.</summary>
    /// <exception cref="InvalidDataException">Says what is wrong with the file and what to do.</exception>
    public static KeyRing Open(string path)
    {
        if (!File.Exists(path))
        {
            Create(path);
        }

        if ((File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
        {
            throw new InvalidDataException($"{path} can be read by others. Run: chmod 600 {path}");
        }

        try
        {
            if (new FileInfo(path).Length > FileLimitBytes)
            {
                throw new InvalidDataException($"it is larger than {FileLimitBytes} bytes");
            }

            var set = JsonSerializer.Deserialize<KeySet>(File.ReadAllBytes(path));
            return set?.Keys is { Count: > 0 and <= KeyLimit } keys
                ? new KeyRing([.. keys.Select(Load)])
                : throw new InvalidDataException($"\"keys\" holds 1 to {KeyLimit} keys");
        }
        catch (Exception bad) when (
            bad is JsonException or FormatException or CryptographicException or InvalidDataException)
        {
            throw new InvalidDataException(
                $"{path} cannot be used: {bad.Message.TrimEnd('.')}. Restore it, or remove it: the next start makes " +
                "a new one, and tokens that were given out end.",
                bad);
        }
    }

    private static void Create(string path)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var secret = pair.ExportParameters(includePrivateParameters: true);
        var x = Base64UrlEncoder.Encode(secret.Q.X);
        var key = new Key
        {
            // A digest of the public half: two keys never share a name.
            Id = Base64UrlEncoder.Encode(SHA256.HashData([.. secret.Q.X!, .. secret.Q.Y!]).AsSpan(0, 9).ToArray()),
            X = x,
            Y = Base64UrlEncoder.Encode(secret.Q.Y),
            D = Base64UrlEncoder.Encode(secret.D),
        };
        var temporary = $"{path}.{key.Id}.new";
        var create = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly,
        };
        using (var file = new FileStream(temporary, create))
        {
            JsonSerializer.Serialize(file, new KeySet { Keys = [key] });
            DurableFiles.Sync(file);
        }

        try
        {
            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process started for the first time too, and was faster: its key is the one.
            File.Delete(temporary);
        }

        DurableFiles.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    private static ECDsaSecurityKey Load(Key key, int index)
    {
        if (key is not { Type: "EC", Curve: Curve, Use: Algorithm, Id.Length: > 0, X: not null, Y: not null } ||
            (index == 0 && key.D is null))
        {
            throw new InvalidDataException(
                $"key {index} needs kty EC, crv {Curve}, alg {Algorithm}, kid, x, y" + (index == 0 ? " and d" : ""));
        }

        var pair = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = { X = Base64UrlEncoder.DecodeBytes(key.X), Y = Base64UrlEncoder.DecodeBytes(key.Y) },
            D = key.D is null ? null : Base64UrlEncoder.DecodeBytes(key.D),
        });
        return new ECDsaSecurityKey(pair) { KeyId = key.Id };
    }

    private sealed record KeySet
    {
        [JsonPropertyName("keys")]
        public IReadOnlyList<Key> Keys { get; init; } = [];
    }

    /// <summary>RFC 7518, 6.2.</summary>
    private sealed record Key
    {
        [JsonPropertyName("kid")]
        public string? Id { get; init; }

        [JsonPropertyName("kty")]
        public string Type { get; init; } = "EC";

        [JsonPropertyName("crv")]
        public string Curve { get; init; } = KeyRing.Curve;

        [JsonPropertyName("alg")]
        public string Use { get; init; } = Algorithm;

        [JsonPropertyName("x")]
        public string? X { get; init; }

        [JsonPropertyName("y")]
        public string? Y { get; init; }

        [JsonPropertyName("d"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? D { get; init; }
    }
}
