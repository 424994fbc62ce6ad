using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Hexcast.Coordination.Embedded.Log;

internal enum RecordType : byte
{
    SegmentHeader = 1,
    HardState = 2,
    Command = 3,
    TermStart = 4,
    Membership = 5,

    /// <summary>The log ends before this index. An entry at an index that is there already says the same.</summary>
    Truncate = 6,
    Install = 7,
}

/// <summary>
/// One record of a segment, little-endian:
///
///    0  u32  CRC-32C of bytes 4 to 39: a wrong length is never followed
///    4  u32  CRC-32C of the payload
///    8  u32  length of the payload
///   12  u8   type, then three zero bytes
///   16  u64  term
///   24  u64  index (of a hard state or a header: the next entry's)
///   32  u64  bytes of this segment that were durable before this record was written
///   40       payload, then one byte 0xA5, so that no part of a whole record that lies alone in a sector is all zeros
/// </summary>
internal readonly record struct RecordHeader(
    uint PayloadChecksum, int PayloadLength, RecordType Type, ulong Term, ulong Index, ulong DurableBytes)
{
    public const int Size = 40;

    public const byte EndMark = 0xA5;

    /// <summary>Far above the largest request: a larger one is not ours.</summary>
    public const int MaximumPayload = 16 * 1024 * 1024;

    /// <summary>Bytes of the whole record.</summary>
    public int RecordLength => Size + PayloadLength + 1;

    public static void Write(
        ArrayBufferWriter<byte> buffer, RecordType type, ulong term, ulong index, ulong durableBytes, IMessage message)
    {
        var length = message.CalculateSize();
        var span = Reserve(buffer, length);
        message.WriteTo(span.Slice(Size, length));
        Seal(span, type, term, index, durableBytes);
        buffer.Advance(span.Length);
    }

    public static void Write(
        ArrayBufferWriter<byte> buffer, RecordType type, ulong term, ulong index, ulong durableBytes,
        ReadOnlySpan<byte> payload)
    {
        var span = Reserve(buffer, payload.Length);
        payload.CopyTo(span[Size..]);
        Seal(span, type, term, index, durableBytes);
        buffer.Advance(span.Length);
    }

    private static Span<byte> Reserve(ArrayBufferWriter<byte> buffer, int length)
    {
        if (length > MaximumPayload)
        {
            throw new InvalidOperationException($"A record of {length} bytes is over the limit of {MaximumPayload}.");
        }
        return buffer.GetSpan(Size + length + 1)[..(Size + length + 1)];
    }

    private static void Seal(Span<byte> span, RecordType type, ulong term, ulong index, ulong durableBytes)
    {
        var length = span.Length - Size - 1;
        span[^1] = EndMark;
        span[..Size].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], Crc32C.Of(span.Slice(Size, length)));
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], length);
        span[12] = (byte)type;
        BinaryPrimitives.WriteUInt64LittleEndian(span[16..], term);
        BinaryPrimitives.WriteUInt64LittleEndian(span[24..], index);
        BinaryPrimitives.WriteUInt64LittleEndian(span[32..], durableBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(span, Crc32C.Of(span[4..Size]));
    }

    /// <summary>False if these bytes are not a header that was written whole.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RecordHeader header)
    {
        header = default;
        if (bytes.Length < Size || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Of(bytes[4..Size]))
        {
            return false;
        }
        header = new RecordHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            (RecordType)bytes[12],
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]));
        return header.PayloadLength is >= 0 and <= MaximumPayload;
    }

    /// <param name="record">From the header on.</param>
    public bool PayloadIsWhole(ReadOnlySpan<byte> record) =>
        record.Length >= RecordLength && record[RecordLength - 1] == EndMark
        && Crc32C.Of(record.Slice(Size, PayloadLength)) == PayloadChecksum;
}

internal static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            crc = BitOperations.Crc32C(crc, word);
        }
        foreach (var last in bytes[(bytes.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, last);
        }
        return ~crc;
    }
}
