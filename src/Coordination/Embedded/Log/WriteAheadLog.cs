using System.Buffers;
using Hexcast.Platform.Errors;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>What was found on the disk.</summary>
internal sealed record RecoveredLog(
    HardState HardState, Snapshot? Snapshot, IReadOnlyList<LogEntry> Entries, int TornBytes, long EntryBytes)
{
    public ulong LastIndex => Entries.Count > 0 ? Entries[^1].Index : Snapshot?.Index ?? 0;
}

/// <summary>
/// The log of the coordinator: appended to in batches, one fsync each, in segments of 64 MiB. A segment appears under
/// its name only when its header is durable, and starts with the hard state: older segments can be deleted once a
/// snapshot holds their entries. Not thread-safe. After an <see cref="IOException"/> it must not be used again: what
/// the kernel still holds of a failed fsync is unknown.
/// </summary>
internal sealed class WriteAheadLog : IDisposable
{
    public const int Format = 1;

    public const long SegmentBytes = 64 * 1024 * 1024;

    private const string Suffix = ".wal";

    private readonly IDisk _disk;
    private readonly long _segmentBytes;
    private readonly ArrayBufferWriter<byte> _batch = new(64 * 1024);
    private readonly List<Segment> _segments = [];
    private IDiskFile? _file;
    private HardState _hardState = new();
    private long _durableBytes;
    private ulong _lastIndex;
    private ulong _durableIndex;

    private readonly record struct Segment(ulong Sequence, ulong FirstIndex)
    {
        public string Name => $"{Sequence:x16}-{FirstIndex:x16}{Suffix}";
    }

    private WriteAheadLog(IDisk disk, long segmentBytes) => (_disk, _segmentBytes) = (disk, segmentBytes);

    public int SegmentCount => _segments.Count;

    /// <summary>Reads everything back, cuts a torn tail, and opens the log for appending.</summary>
    /// <exception cref="CoordinatorDataException">Something acknowledged may be missing.</exception>
    public static WriteAheadLog Open(IDisk disk, out RecoveredLog recovered, long segmentBytes = SegmentBytes)
    {
        var log = new WriteAheadLog(disk, segmentBytes);
        recovered = log.Recover();
        return log;
    }

    public void Append(LogEntry entry)
    {
        RecordHeader.Write(
            _batch, RecordType.Entry, entry.Term, entry.Index, (ulong)_durableBytes, entry.Command);
        _lastIndex = entry.Index;
    }

    public void SetHardState(HardState hardState)
    {
        _hardState = hardState;
        RecordHeader.Write(
            _batch, RecordType.HardState, hardState.Term, _lastIndex + 1, (ulong)_durableBytes, hardState);
    }

    /// <summary>Makes durable all that was appended: one write, one fsync.</summary>
    /// <returns>False if the disk is full: the log is as it was before all that.</returns>
    public bool TryFlush()
    {
        if (_batch.WrittenCount == 0)
        {
            return true;
        }
        var written = _batch.WrittenCount;
        try
        {
            _file!.Write(_durableBytes, _batch.WrittenSpan);
        }
        catch (IOException exception) when (StorageFaults.IsFull(exception))
        {
            // A part may be there. Unlike after a failed fsync, what is on the disk is known.
            _file!.Truncate(_durableBytes);
            _lastIndex = _durableIndex;
            return false;
        }
        finally
        {
            _batch.ResetWrittenCount();
        }
        _file.Sync();
        _durableBytes += written;
        _durableIndex = _lastIndex;
        if (_durableBytes >= _segmentBytes)
        {
            // On a full disk the old segment grows until there is space for a new one.
            TryStartSegment(_segments[^1].Sequence + 1);
        }
        return true;
    }

    /// <summary>Saves the snapshot, then deletes the segments and snapshots that it replaces.</summary>
    /// <returns>False if the disk is full: nothing has changed.</returns>
    public bool TrySave(Snapshot snapshot)
    {
        if (!SnapshotFile.TrySave(_disk, snapshot))
        {
            return false;
        }
        foreach (var name in _disk.List())
        {
            if (SnapshotFile.TryParse(name, out var index) && index < snapshot.Index)
            {
                _disk.Delete(name);
            }
        }
        // A segment may go when the next one begins at or below the first entry that is still needed.
        while (_segments.Count > 1 && _segments[1].FirstIndex <= snapshot.Index + 1)
        {
            _disk.Delete(_segments[0].Name);
            _segments.RemoveAt(0);
        }
        _disk.SyncDirectory();
        return true;
    }

    public void Dispose() => _file?.Dispose();

    private RecoveredLog Recover()
    {
        WholeFile.DeleteUnfinished(_disk);
        var names = _disk.List();
        var newest = names.Where(name => SnapshotFile.TryParse(name, out _)).Max(StringComparer.Ordinal);
        var snapshot = newest is null ? null : SnapshotFile.Load(_disk, newest);
        _segments.AddRange(names.Select(Parse).OfType<Segment>().OrderBy(segment => segment.Sequence));
        _lastIndex = _durableIndex = snapshot?.Index ?? 0;
        if (_segments.Count == 0)
        {
            if (snapshot is not null)
            {
                throw SegmentReader.Damage(newest!, 0, "the segments after this snapshot are missing");
            }
            if (!TryStartSegment(sequence: 1))
            {
                throw new CoordinatorDataException($"The coordinator cannot start: {StorageFaults.FullMessage}");
            }
            return new RecoveredLog(_hardState, snapshot, [], TornBytes: 0, EntryBytes: 0);
        }
        return ReadSegments(snapshot);
    }

    private RecoveredLog ReadSegments(Snapshot? snapshot)
    {
        var entries = new List<LogEntry>();
        var firstNeeded = (snapshot?.Index ?? 0) + 1;
        if (_segments[0].FirstIndex > firstNeeded)
        {
            throw SegmentReader.Damage(
                _segments[0].Name, 0, $"the entries from {firstNeeded} on are missing before it");
        }
        var next = _segments[0].FirstIndex;
        var torn = 0;
        long entryBytes = 0;
        for (var i = 0; i < _segments.Count; i++)
        {
            var (segment, isLast) = (_segments[i], i == _segments.Count - 1);
            if (i > 0 && (segment.Sequence != _segments[i - 1].Sequence + 1 || segment.FirstIndex != next))
            {
                throw SegmentReader.Damage(segment.Name, 0, "the segment before it is missing");
            }
            var file = _disk.Open(segment.Name);
            var bytes = file.ReadAll();
            var (records, goodBytes) = SegmentReader.Read(segment.Name, bytes, isLast);
            if (records.Count == 0 || records[0].Header.Type != RecordType.SegmentHeader)
            {
                throw SegmentReader.Damage(segment.Name, 0, "its header is unreadable");
            }
            foreach (var record in records)
            {
                if (Read(segment, record, next) is not { } entry)
                {
                    continue;
                }
                next++;
                if (entry.Index >= firstNeeded)
                {
                    entries.Add(entry);
                    entryBytes += record.Payload.Length;
                }
            }
            if (!isLast)
            {
                file.Dispose();
                continue;
            }
            torn = bytes.Length - goodBytes;
            if (torn > 0)
            {
                file.Truncate(goodBytes);
            }
            // Also what the last process wrote and could not fsync any more becomes durable before anybody sees it.
            file.Sync();
            (_file, _durableBytes) = (file, goodBytes);
        }
        if (next < firstNeeded)
        {
            throw SegmentReader.Damage(_segments[^1].Name, 0, $"it ends at entry {next - 1}, before the snapshot does");
        }
        _lastIndex = _durableIndex = next - 1;
        return new RecoveredLog(_hardState, snapshot, entries, torn, entryBytes);
    }

    private LogEntry? Read(Segment segment, LogRecord record, ulong next)
    {
        switch (record.Header.Type)
        {
            case RecordType.SegmentHeader:
                var header = SegmentHeader.Parser.ParseFrom(record.Payload.Span);
                if (header.Format != Format)
                {
                    throw new CoordinatorDataException(
                        $"{segment.Name} is written in format {header.Format}; this version of Hexcast reads " +
                        $"{Format}. Start the version that wrote it.");
                }
                if (header.Sequence != segment.Sequence || header.FirstIndex != segment.FirstIndex)
                {
                    throw SegmentReader.Damage(segment.Name, 0, "its header belongs to another segment");
                }
                _hardState = header.HardState;
                return null;
            case RecordType.HardState:
                _hardState = HardState.Parser.ParseFrom(record.Payload.Span);
                return null;
            case RecordType.Entry when record.Header.Index == next:
                return new LogEntry(record.Header.Term, next, Command.Parser.ParseFrom(record.Payload.Span));
            case RecordType.Entry:
                throw SegmentReader.Damage(
                    segment.Name, record.Offset, $"entry {record.Header.Index} stands where {next} belongs");
            default:
                throw SegmentReader.Damage(segment.Name, record.Offset, $"a record of type {record.Header.Type}");
        }
    }

    private bool TryStartSegment(ulong sequence)
    {
        var segment = new Segment(sequence, _lastIndex + 1);
        var header = new SegmentHeader
        {
            Format = Format,
            Sequence = sequence,
            FirstIndex = segment.FirstIndex,
            HardState = _hardState,
        };
        var record = new ArrayBufferWriter<byte>();
        RecordHeader.Write(
            record, RecordType.SegmentHeader, _hardState.Term, segment.FirstIndex, durableBytes: 0, header);
        if (!WholeFile.TryWrite(_disk, segment.Name, record.WrittenSpan))
        {
            return false;
        }
        _file?.Dispose();
        _file = _disk.Open(segment.Name);
        _durableBytes = record.WrittenCount;
        _segments.Add(segment);
        return true;
    }

    private static Segment? Parse(string name) =>
        name.EndsWith(Suffix, StringComparison.Ordinal) && name.Length == 33 + Suffix.Length
        && SnapshotFile.TryParseHex(name.AsSpan(0, 16), out var sequence)
        && SnapshotFile.TryParseHex(name.AsSpan(17, 16), out var first)
            ? new Segment(sequence, first)
            : null;
}
