using System.Buffers.Binary;
using System.Globalization;
using Google.Protobuf;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>
/// A snapshot on disk: "HEXSNAP1", u64 term, u64 index, u32 length, u32 CRC-32C of all of it but itself, payload.
/// Written beside, made durable, then renamed: under its name it is always whole, so one that does not read is damaged.
/// </summary>
internal static class SnapshotFile
{
    private const int HeaderBytes = 32;

    public const string Suffix = ".snapshot";

    private static ReadOnlySpan<byte> Magic => "HEXSNAP1"u8;

    public static string NameOf(ulong term, ulong index) => $"{index:x16}-{term:x16}{Suffix}";

    public static bool TryParse(string name, out ulong index)
    {
        index = 0;
        return name.EndsWith(Suffix, StringComparison.Ordinal) && name.Length == 33 + Suffix.Length
            && TryParseHex(name.AsSpan(0, 16), out index);
    }

    public static bool TryParseHex(ReadOnlySpan<char> digits, out ulong value) =>
        ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    /// <returns>False if the disk is full.</returns>
    public static bool TrySave(IDisk disk, Snapshot snapshot)
    {
        var payloadBytes = snapshot.State.CalculateSize();
        var bytes = new byte[HeaderBytes + payloadBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), snapshot.Term);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), snapshot.Index);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), payloadBytes);
        snapshot.State.WriteTo(bytes.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), Checksum(bytes));
        return WholeFile.TryWrite(disk, NameOf(snapshot.Term, snapshot.Index), bytes);
    }

    public static Snapshot Load(IDisk disk, string name)
    {
        using var file = disk.Open(name);
        var bytes = file.ReadAll();
        if (bytes.Length < HeaderBytes || !bytes.AsSpan(0, 8).SequenceEqual(Magic)
            || BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(24)) != bytes.Length - HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(28)) != Checksum(bytes))
        {
            throw SegmentReader.Damage(name, 0, "the snapshot's checksum is wrong");
        }
        var term = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8));
        var index = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16));
        return new Snapshot(term, index, SnapshotState.Parser.ParseFrom(bytes.AsSpan(HeaderBytes)));
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) =>
        Crc32C.Of(bytes[..28]) ^ uint.RotateLeft(Crc32C.Of(bytes[HeaderBytes..]), 1);
}
