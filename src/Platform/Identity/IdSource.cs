using System.Security.Cryptography;
using Hexcast.Contracts;

namespace Hexcast.Platform.Identity;

/// <summary>Where ids and secrets come from: the injected clock and the system's cryptographic generator.</summary>
public sealed class IdSource(TimeProvider clock)
{
    public MediaId NewMediaId() => MediaId.From(NewUuid());

    /// <summary>A version's id; it is also the id of the job that makes it.</summary>
    public string NewVersionId() => MediaId.From(NewUuid()).ToString();

    public static byte[] NewSecret(int bytes) => RandomNumberGenerator.GetBytes(bytes);

    // RFC 9562, 5.7: 48 bits of Unix milliseconds, then version, variant and 74 random bits.
    private Guid NewUuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        var millis = clock.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 5; i >= 0; i--)
        {
            bytes[i] = (byte)millis;
            millis >>= 8;
        }

        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x70);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
