using System.Buffers.Binary;
using Google.Protobuf;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>
/// Who this member is, and what it has promised, apart from its log: "HEXMEMB1", u32 CRC-32C of the payload, payload.
/// A member that forgot its vote could elect a second leader, so its log alone must not be able to lose it.
/// </summary>
internal static class MemberFile
{
    public const string Name = "member";

    private const int HeaderBytes = 12;

    private static ReadOnlySpan<byte> Magic => "HEXMEMB1"u8;

    /// <summary>A group of one, whose log nobody else has.</summary>
    public static bool IsAlone(MemberRecord record) => record.Founded && record.Members.Count <= 1;

    /// <returns>False if the disk is full: the one before is still there.</returns>
    public static bool TrySave(IDisk disk, MemberRecord record)
    {
        var payload = record.ToByteArray();
        var bytes = new byte[HeaderBytes + payload.Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Crc32C.Of(payload));
        payload.CopyTo(bytes, HeaderBytes);
        return WholeFile.TryWrite(disk, Name, bytes);
    }

    /// <returns>Null if there is none, or it is damaged.</returns>
    public static MemberRecord? TryLoad(IDisk disk, out bool isDamaged)
    {
        isDamaged = false;
        if (!disk.List().Contains(Name, StringComparer.Ordinal))
        {
            return null;
        }
        using var file = disk.Open(Name);
        var bytes = file.ReadAll();
        if (bytes.Length >= HeaderBytes && bytes.AsSpan(0, 8).SequenceEqual(Magic)
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)) == Crc32C.Of(bytes.AsSpan(HeaderBytes)))
        {
            return MemberRecord.Parser.ParseFrom(bytes.AsSpan(HeaderBytes));
        }
        isDamaged = true;
        return null;
    }
}
