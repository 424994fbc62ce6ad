using System.Buffers.Binary;
using System.Globalization;
using Google.Protobuf;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>
/// A snapshot on disk: "HEXSNAP1", u64 term, u64 index, u32 length, u32 CRC-32C of all of it but itself, payload.
/// Written beside, made durable, then renamed: under its name it is always whole, so one that does not read is damaged.
/// The same bytes go to a member that needs it, in pieces.
/// </summary>
internal static class SnapshotFile
{
    private const int HeaderBytes = 32;

    public const string Suffix = ".snapshot";

    /// <summary>What another member is sending.</summary>
    private const string IncomingName = "incoming" + WholeFile.TemporarySuffix;

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
    public static bool TrySave(IDisk disk, Snapshot snapshot) =>
        WholeFile.TryWrite(disk, NameOf(snapshot.Mark.Term, snapshot.Mark.Index), BytesOf(snapshot));

    /// <summary>As if another member had sent it: durable, and not counting yet.</summary>
    /// <exception cref="IOException">Also when the disk is full.</exception>
    public static void SaveIncoming(IDisk disk, Snapshot snapshot)
    {
        using var file = disk.Create(IncomingName);
        file.Write(0, BytesOf(snapshot));
        file.Sync();
    }

    private static byte[] BytesOf(Snapshot snapshot)
    {
        var payloadBytes = snapshot.State.CalculateSize();
        var bytes = new byte[HeaderBytes + payloadBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), snapshot.Mark.Term);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), snapshot.Mark.Index);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), payloadBytes);
        snapshot.State.WriteTo(bytes.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), Checksum(bytes));
        return bytes;
    }

    public static Snapshot Load(IDisk disk, string name)
    {
        using var file = disk.Open(name);
        return Read(name, file.ReadAll());
    }

    /// <summary>A piece of the snapshot of this index; null if there is none, or none any more.</summary>
    public static (byte[] Bytes, bool IsLast)? ReadPiece(IDisk disk, ulong index, long offset, int maximumBytes)
    {
        var name = disk.List().FirstOrDefault(name => TryParse(name, out var here) && here == index);
        if (name is null)
        {
            return null;
        }
        try
        {
            using var file = disk.Open(name);
            var length = (int)Math.Clamp(file.Length - offset, 0, maximumBytes);
            return (file.Read(offset, length), offset + length >= file.Length);
        }
        catch (FileNotFoundException)
        {
            // A newer one has replaced it just now.
            return null;
        }
    }

    /// <exception cref="IOException">Also when the disk is full.</exception>
    public static void StorePiece(IDisk disk, long offset, ReadOnlySpan<byte> bytes)
    {
        using var file = offset == 0 ? disk.Create(IncomingName) : disk.Open(IncomingName);
        file.Write(offset, bytes);
    }

    /// <summary>All pieces are there: makes them durable, and reads them.</summary>
    /// <returns>Null if they are not what the sender had; nothing is left of them then.</returns>
    public static Snapshot? CompleteIncoming(IDisk disk, SnapshotMark mark)
    {
        using var file = disk.Open(IncomingName);
        try
        {
            var snapshot = Read(IncomingName, file.ReadAll());
            if (snapshot.Mark.Index == mark.Index && snapshot.Mark.Term == mark.Term)
            {
                file.Sync();
                return snapshot with { Mark = mark };
            }
        }
        catch (CoordinatorDataException)
        {
            // Torn on the way, or two that were put together: it is asked for again.
        }
        disk.Delete(IncomingName);
        return null;
    }

    public static void KeepIncoming(IDisk disk, SnapshotMark mark)
    {
        disk.Rename(IncomingName, NameOf(mark.Term, mark.Index));
        disk.SyncDirectory();
    }

    private static Snapshot Read(string name, byte[] bytes)
    {
        if (bytes.Length < HeaderBytes || !bytes.AsSpan(0, 8).SequenceEqual(Magic)
            || BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(24)) != bytes.Length - HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(28)) != Checksum(bytes))
        {
            throw SegmentReader.Damage(name, 0, "the snapshot's checksum is wrong");
        }
        var term = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8));
        var index = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16));
        var state = SnapshotState.Parser.ParseFrom(bytes.AsSpan(HeaderBytes));
        var members = state.Voters.IsEmpty ? Members.None : Members.Decode(state.Voters.Span);
        return new Snapshot(new SnapshotMark(index, term, members), state);
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) =>
        Crc32C.Of(bytes[..28]) ^ uint.RotateLeft(Crc32C.Of(bytes[HeaderBytes..]), 1);
}
