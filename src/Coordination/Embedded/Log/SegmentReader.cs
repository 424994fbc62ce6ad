namespace Hexcast.Coordination.Embedded.Log;

/// <summary>A whole record and where it lies.</summary>
internal readonly record struct LogRecord(RecordHeader Header, int Offset, ReadOnlyMemory<byte> Payload);

/// <summary>
/// Reads a segment and decides what an unreadable record means.
///
/// Writes go out in batches, each made durable before the next. So a crash can only harm the last batch, which nobody
/// was told of: it is cut off. Everything else is damage to what was acknowledged and ends in an error:
///   - a later whole record knows the place as durable already (its DurableBytes is beyond it);
///   - the record is all there, and no sector of it was left unwritten, and its checksum is wrong;
///   - the segment is not the last one.
/// </summary>
internal static class SegmentReader
{
    private const int SectorBytes = 512;

    /// <returns>The records, and the length that is good; the rest is a torn tail, or damage if there is an error.
    /// </returns>
    public static (List<LogRecord> Records, int GoodBytes, CoordinatorDataException? Damage) Read(
        string name, byte[] bytes, bool isLast)
    {
        var records = new List<LogRecord>();
        var offset = 0;
        while (offset < bytes.Length)
        {
            var rest = bytes.AsSpan(offset);
            var headerIsWhole = RecordHeader.TryRead(rest, out var header);
            if (headerIsWhole && header.PayloadIsWhole(rest))
            {
                var payload = bytes.AsMemory(offset + RecordHeader.Size, header.PayloadLength);
                records.Add(new LogRecord(header, offset, payload));
                offset += header.RecordLength;
                continue;
            }
            if (!isLast)
            {
                return (records, offset, Damage(name, offset, "a record is unreadable, and later segments follow"));
            }
            if (FindWitness(bytes, offset) is { } witness)
            {
                return (records, offset, Damage(
                    name, offset, $"a record is unreadable that was durable before the one at {witness}"));
            }
            var isComplete = rest.Length >= (headerIsWhole ? header.RecordLength : RecordHeader.Size);
            if (isComplete && !HasUnwrittenSector(bytes, offset, headerIsWhole ? header.RecordLength : rest.Length))
            {
                return (records, offset, Damage(name, offset, "a record is all there but its checksum is wrong"));
            }
            return (records, offset, null);
        }
        return (records, offset, null);
    }

    public static CoordinatorDataException Damage(string name, int offset, string what) => new(
        $"The coordinator's log is damaged: {name}, byte {offset}: {what}. What was acknowledged may be in the " +
        "damaged part, so the coordinator does not start on the rest. Check the disk, then put the coordinator's " +
        "directory back from a backup; or let hexcast cluster recover go on with what can be read, or, where that is " +
        $"nothing, with an empty coordinator: {LostMember.WhatIsLost}");

    /// <summary>A whole record after the bad place which says that the place was durable when it was written.</summary>
    private static int? FindWitness(byte[] bytes, int bad)
    {
        for (var offset = bad + 1; offset + RecordHeader.Size <= bytes.Length; offset++)
        {
            if (RecordHeader.TryRead(bytes.AsSpan(offset), out var header) && header.DurableBytes > (ulong)bad)
            {
                return offset;
            }
        }
        return null;
    }

    private static bool HasUnwrittenSector(byte[] bytes, int offset, int length)
    {
        var end = Math.Min(bytes.Length, offset + length);
        while (offset < end)
        {
            var next = Math.Min(end, (offset / SectorBytes + 1) * SectorBytes);
            if (!bytes.AsSpan(offset, next - offset).ContainsAnyExcept((byte)0))
            {
                return true;
            }
            offset = next;
        }
        return false;
    }
}
