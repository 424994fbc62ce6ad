using System.Buffers;
using Hexcast.Platform.Errors;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>
/// The log of the coordinator: appended to in batches, one fsync each, in segments of 64 MiB. A segment appears under
/// its name only when its header is durable, and starts with the hard state: older segments can be deleted once a
/// snapshot holds their entries. Nothing is overwritten: an entry at an index that is there replaces that one and all
/// behind it. Not thread-safe. After an <see cref="IOException"/> it must not be used again: what the kernel still
/// holds of a failed fsync is unknown.
/// </summary>
internal sealed class WriteAheadLog : IDisposable
{
    /// <summary>Format 1 had entries of one kind, in one order.</summary>
    public const int Format = 2;

    public const long SegmentBytes = 64 * 1024 * 1024;

    private readonly IDisk _disk;
    private readonly long _segmentBytes;
    private readonly ArrayBufferWriter<byte> _batch = new(64 * 1024);
    private readonly List<Segment> _segments;
    private readonly ulong _lastSequence;
    private Cut? _cut;
    private IDiskFile? _file;
    private HardState _hardState;
    private HardState _durableHardState;
    private long _durableBytes;
    private ulong _lastIndex;
    private ulong _durableIndex;

    private WriteAheadLog(IDisk disk, long segmentBytes, LogReading read)
    {
        (_disk, _segmentBytes, _segments, _cut) = (disk, segmentBytes, read.Segments, read.Cut);
        _hardState = _durableHardState = read.HardState;
        _lastIndex = _durableIndex = read.LastIndex;
        _lastSequence = Math.Max(read.LastSequence, _segments.Count > 0 ? _segments[^1].Sequence : 0);
    }

    public int SegmentCount => _segments.Count;

    /// <summary>Reads everything back, cuts a torn tail, and opens the log for appending. Where something is damaged
    /// it is opened by <see cref="CutDamage"/>.</summary>
    /// <exception cref="CoordinatorDataException">Another version wrote it, or the disk is full.</exception>
    /// <param name="mustBeThere">This member has promised something: if it has no log, that is lost.</param>
    public static WriteAheadLog Open(
        IDisk disk, out RecoveredLog recovered, long segmentBytes = SegmentBytes, bool mustBeThere = false)
    {
        WholeFile.DeleteUnfinished(disk);
        // What is read now is built upon: also a name that the last process gave, and did not live to make durable.
        disk.SyncDirectory();
        var read = LogReading.Of(disk, mustBeThere);
        recovered = read.Recovered;
        var log = new WriteAheadLog(disk, segmentBytes, read);
        if (recovered.Damage is null)
        {
            log.GoOn();
        }
        return log;
    }

    public void Append(Entry entry)
    {
        var type = entry.Kind switch
        {
            EntryKind.TermStart => RecordType.TermStart,
            EntryKind.Membership => RecordType.Membership,
            _ => RecordType.Command,
        };
        RecordHeader.Write(_batch, type, entry.Term, entry.Index, (ulong)_durableBytes, entry.Payload.Span);
        _lastIndex = entry.Index;
    }

    public void TruncateFrom(ulong index)
    {
        if (index <= _lastIndex)
        {
            RecordHeader.Write(_batch, RecordType.Truncate, _hardState.Term, index, (ulong)_durableBytes, []);
            _lastIndex = index - 1;
        }
    }

    public void SetHardState(HardState hardState)
    {
        _hardState = hardState;
        RecordHeader.Write(
            _batch, RecordType.HardState, hardState.Term, _lastIndex + 1, (ulong)_durableBytes, hardState.ToSaved());
    }

    /// <summary>Makes durable all that was appended: one write, one fsync.</summary>
    /// <returns>False if the disk is full: the log is as it was before all that.</returns>
    public bool TryFlush()
    {
        if (!TryWriteBatch())
        {
            return false;
        }
        if (_durableBytes >= _segmentBytes)
        {
            // On a full disk the old segment grows until there is space for a new one.
            TryStartSegment(_segments[^1].Sequence + 1);
        }
        return true;
    }

    private bool TryWriteBatch()
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
            // A part may be there. Unlike after a failed fsync, what is on the disk is known; and it must stay so, for
            // whoever wrote may be told that nothing was.
            _file!.Truncate(_durableBytes);
            _file.Sync();
            (_lastIndex, _hardState) = (_durableIndex, _durableHardState);
            return false;
        }
        finally
        {
            _batch.ResetWrittenCount();
        }
        var isSynced = true;
        Planted.Bend(CoordinatorFault.AnsweredBeforeFsync, ref isSynced, to: false);
        if (isSynced)
        {
            _file.Sync();
        }
        _durableBytes += written;
        (_durableIndex, _durableHardState) = (_lastIndex, _hardState);
        return true;
    }

    /// <summary>A snapshot of this index is durable: deletes the segments and snapshots that it replaces.</summary>
    public void DropBefore(ulong snapshotIndex)
    {
        foreach (var name in _disk.List())
        {
            if (SnapshotFile.TryParse(name, out var index) && index < snapshotIndex)
            {
                _disk.Delete(name);
            }
        }
        // A segment may go when the next one begins at or below the first entry that is still needed.
        while (_segments.Count > 1 && _segments[1].FirstIndex <= snapshotIndex + 1)
        {
            _disk.Delete(_segments[0].Name);
            _segments.RemoveAt(0);
        }
        _disk.SyncDirectory();
    }

    /// <summary>
    /// The snapshot that has come in, whole and durable, becomes this log's beginning; nothing else stays. It counts
    /// from the rename on: until then the record that announces it is a torn tail.
    /// </summary>
    /// <returns>False if the disk is full: nothing has changed.</returns>
    public bool TryInstall(SnapshotMark mark)
    {
        RecordHeader.Write(
            _batch, RecordType.Install, mark.Term, mark.Index, (ulong)_durableBytes,
            new Install { Index = mark.Index });
        // It has to be the last record of the last segment until the rename.
        if (!TryWriteBatch())
        {
            return false;
        }
        SnapshotFile.KeepIncoming(_disk, mark);
        _lastIndex = _durableIndex = mark.Index;
        // Only so do the segments before it go; without space for one they wait.
        TryStartSegment(_segments[^1].Sequence + 1);
        DropBefore(mark.Index);
        return true;
    }

    /// <summary>Ends the log before what is unreadable. That this member owes what was there must be durable by now:
    /// the next start would take the rest for a whole log.</summary>
    public void CutDamage()
    {
        if (_cut is not { } cut)
        {
            return;
        }
        _cut = null;
        foreach (var name in cut.Delete)
        {
            _disk.Delete(name);
        }
        _disk.SyncDirectory();
        GoOn();
    }

    public void Dispose() => _file?.Dispose();

    /// <summary>Opens the last segment behind its last good record, or the first one.</summary>
    /// <exception cref="CoordinatorDataException">The disk is full.</exception>
    private void GoOn()
    {
        if (_segments.Count == 0)
        {
            if (!TryStartSegment(_lastSequence + 1))
            {
                throw new CoordinatorDataException($"The coordinator cannot start: {StorageFaults.FullMessage}");
            }
            return;
        }
        var last = _segments[^1];
        var file = _disk.Open(last.Name);
        if (file.Length > last.GoodBytes)
        {
            file.Truncate(last.GoodBytes);
        }
        // Also what the last process wrote and could not fsync any more becomes durable before anybody sees it.
        file.Sync();
        (_file, _durableBytes) = (file, last.GoodBytes);
    }

    private bool TryStartSegment(ulong sequence)
    {
        var segment = new Segment(sequence, _lastIndex + 1);
        var header = new SegmentHeader
        {
            Format = Format,
            Sequence = sequence,
            FirstIndex = segment.FirstIndex,
            HardState = _hardState.ToSaved(),
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
}
