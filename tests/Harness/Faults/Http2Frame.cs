using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Hexcast.Harness.Faults;

/// <summary>What an HTTP/2 connection consists of, in either direction (RFC 9113, 4.1).</summary>
/// <param name="Bytes">All of it, as it goes over the line.</param>
internal sealed record Http2Frame(byte[] Bytes)
{
    /// <summary>What a client says before its first frame.</summary>
    public const int PrefaceBytes = 24;

    private const int HeaderBytes = 9;
    private const byte Data = 0;
    private const byte EndStream = 1;

    public bool IsData => Bytes[3] == Data;

    /// <summary>Of its stream, in its direction.</summary>
    public bool IsLast => (Bytes[4] & EndStream) != 0;

    public int Stream => BinaryPrimitives.ReadInt32BigEndian(Bytes.AsSpan(5)) & int.MaxValue;

    public ReadOnlySpan<byte> Payload => Bytes.AsSpan(HeaderBytes);

    /// <summary>One after the other, until the connection ends.</summary>
    public static async IAsyncEnumerable<Http2Frame> ReadAsync(
        Socket from, [EnumeratorCancellation] CancellationToken cancel)
    {
        var buffer = new byte[64 * 1024];
        var rest = new List<byte>();
        while (await from.ReceiveAsync(buffer, cancel) is > 0 and var read)
        {
            rest.AddRange(buffer.AsSpan(0, read));
            while (rest.Count >= HeaderBytes && HeaderBytes + (rest[0] << 16 | rest[1] << 8 | rest[2]) is var length
                && rest.Count >= length)
            {
                yield return new Http2Frame([.. rest[..length]]);
                rest.RemoveRange(0, length);
            }
        }
    }
}
