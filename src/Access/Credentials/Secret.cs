using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Hexcast.Platform.Identity;

namespace Hexcast.Access.Credentials;

/// <summary>
/// 256 random bits, shown to their owner once and kept here as a hash. So much randomness cannot be guessed, so a plain
/// SHA-256 keeps it; a slow hash is for passwords that people think of.
/// </summary>
internal sealed record Secret
{
    public const string TokenPrefix = "hxc_";
    private const int RandomBytes = 32, RandomCharacters = 43, IdBytes = 10;
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    private Secret(string text) => Text = text;

    public string Text { get; }

    public byte[] Hash => SHA256.HashData(Encoding.ASCII.GetBytes(Text));

    /// <summary>
    /// What a token is known by. It follows from the secret, so that whoever shows the secret need not show the id,
    /// and one way only: 80 bits of another hash.
    /// </summary>
    public string Id => IdOf(SHA256.HashData(Encoding.ASCII.GetBytes("id:" + Text)));

    public static Secret NewToken() => new(TokenPrefix + Random());

    public static Secret NewSession() => new(Random());

    /// <summary>16 random characters.</summary>
    public static string NewId() => IdOf(IdSource.NewSecret(IdBytes));

    /// <summary>False: no secret of ours has this form.</summary>
    public static bool TryParseToken([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Secret? secret)
    {
        var parsed = text is not null && text.StartsWith(TokenPrefix, StringComparison.Ordinal)
            && IsRandom(text.AsSpan(TokenPrefix.Length));
        secret = parsed ? new Secret(text!) : null;
        return parsed;
    }

    public static bool TryParseSession([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Secret? secret)
    {
        var parsed = text is not null && IsRandom(text);
        secret = parsed ? new Secret(text!) : null;
        return parsed;
    }

    public static bool IsId(string text) =>
        text.Length == IdBytes * 8 / 5 && text.All(c => Alphabet.Contains(c, StringComparison.Ordinal));

    /// <summary>In a time that says nothing of where they differ.</summary>
    public bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Hash, hash);

    /// <summary>Never the secret itself: whatever prints a record must not print this.</summary>
    public override string ToString() => "[secret]";

    private static string Random() => Base64Url.EncodeToString(IdSource.NewSecret(RandomBytes));

    private static bool IsRandom(ReadOnlySpan<char> text)
    {
        if (text.Length != RandomCharacters)
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false;
            }
        }

        return true;
    }

    private static string IdOf(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(IdBytes * 8 / 5);
        var (held, bits) = (0, 0);
        foreach (var b in bytes[..IdBytes])
        {
            (held, bits) = ((held << 8) | b, bits + 8);
            while (bits >= 5)
            {
                bits -= 5;
                text.Append(Alphabet[(held >> bits) & 31]);
            }
        }

        return text.ToString();
    }
}
