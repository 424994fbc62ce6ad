using System.Globalization;
using System.Text;

namespace Grpc.Wire;

/// <summary>grpc-message: UTF-8, all but visible ASCII percent-encoded, and the percent sign itself.</summary>
static class StatusMessage
{
    /// <summary>Peers refuse header blocks over 8 KiB; longer words are cut.</summary>
    public const int MaxEncodedBytes = 4096;

    public static string Encode(string message)
    {
        if (message.Length <= MaxEncodedBytes && !message.AsSpan().ContainsAnyExceptInRange(' ', '~')
            && !message.Contains('%', StringComparison.Ordinal))
        {
            return message;
        }

        var encoded = new StringBuilder(message.Length + 16);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in message.EnumerateRunes())
        {
            var count = rune.EncodeToUtf8(utf8);
            var isPlain = count == 1 && utf8[0] is >= (byte)' ' and <= (byte)'~' and not (byte)'%';
            if (encoded.Length + (isPlain ? 1 : 3 * count) > MaxEncodedBytes)
                break;
            if (isPlain)
            {
                encoded.Append((char)utf8[0]);
                continue;
            }

            foreach (var b in utf8[..count])
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return encoded.ToString();
    }

    /// <summary>Never fails: what is not an escape stands for itself.</summary>
    public static string Decode(string encoded)
    {
        if (!encoded.Contains('%', StringComparison.Ordinal))
            return encoded;

        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] == '%' && i + 2 < encoded.Length
                && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
            {
                bytes.Add(byte.Parse(encoded.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 2;
            }
            else if (char.IsAscii(encoded[i]))
            {
                bytes.Add((byte)encoded[i]);
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(encoded, i, 1));
            }
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
