using System.Diagnostics.CodeAnalysis;

namespace Hexcast.Contracts;

/// <summary>
/// Names one uploaded video: a UUIDv7 (RFC 9562) as 26 characters of lower-case Crockford base32, so that the
/// text sorts by creation time and is safe in a URL.
/// </summary>
public readonly record struct MediaId
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    public const int Length = 26;

    private readonly string? text;

    private MediaId(string text) => this.text = text;

    public static MediaId From(Guid uuid)
    {
        var value = new UInt128(
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(uuid.ToByteArray(bigEndian: true)),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(uuid.ToByteArray(bigEndian: true).AsSpan(8)));
        return new MediaId(string.Create(Length, value, static (chars, rest) =>
        {
            for (var i = chars.Length - 1; i >= 0; i--)
            {
                chars[i] = Alphabet[(int)(rest & 31)];
                rest >>= 5;
            }
        }));
    }

    /// <summary>Accepts the canonical form only: another spelling of the same number is another path.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out MediaId id)
    {
        id = default;
        // 26 × 5 bits are 130: the first character carries only the top 3 of 128.
        if (text is not { Length: Length } || text[0] > '7')
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!Alphabet.Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        id = new MediaId(text);
        return true;
    }

    public override string ToString() => text ?? "";
}
