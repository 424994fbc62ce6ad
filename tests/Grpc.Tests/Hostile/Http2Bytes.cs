using System.Buffers.Binary;
using System.Text;

namespace Hexcast.Grpc.Tests.Hostile;

/// <summary>HTTP/2 by hand (RFC 9113, RFC 7541): the bytes of a good call, for tests to spoil.</summary>
static class Http2Bytes
{
    public const int FrameHeaderBytes = 9;

    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Priority = 2;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;

    static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    /// <summary>What a client sends for one call, frame by frame; first comes the connection's preface.</summary>
    public static List<byte[]> Call(string path, params byte[][] messages) =>
    [
        Opening,
        Frame(Headers, EndHeaders, 1, [.. Request(path), .. Block(("grpc-timeout", "5S"), ("x-bin", "AAEC"))]),
        .. messages.Select((message, i) =>
            Frame(Data, i == messages.Length - 1 ? EndStream : (byte)0, 1, message)),
    ];

    /// <summary>The connection's preface, and settings that change nothing.</summary>
    public static byte[] Opening => [.. Preface, .. Frame(Settings, 0, 0, [])];

    /// <summary>The header fields of a call.</summary>
    public static byte[] Request(string path) => Block(
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "here"),
        ("content-type", "application/grpc"), ("te", "trailers"));

    /// <summary>What a server answers to one call.</summary>
    public static List<byte[]> Answer(params byte[][] messages) =>
    [
        Frame(Settings, 0, 0, []),
        Frame(Settings, 1, 0, []),
        Frame(
            Headers, EndHeaders, 1,
            Block((":status", "200"), ("content-type", "application/grpc"), ("x-bin", "AAEC"))),
        .. messages.Select(message => Frame(Data, 0, 1, message)),
        Frame(Headers, EndHeaders | EndStream, 1, Block(("grpc-status", "0"), ("grpc-message", "fine"))),
    ];

    public static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[FrameHeaderBytes + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, FrameHeaderBytes);
        return frame;
    }

    // Literal fields without indexing, without Huffman.
    public static byte[] Block(params (string Name, string Value)[] fields)
    {
        var block = new List<byte>();
        foreach (var (name, value) in fields)
        {
            block.Add(0);
            foreach (var text in new[] { name, value })
            {
                block.Add((byte)text.Length);
                block.AddRange(Encoding.ASCII.GetBytes(text));
            }
        }

        return [.. block];
    }
}
