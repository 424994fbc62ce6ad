using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded.Log;

/// <summary>One file of the log.</summary>
internal readonly record struct Segment(ulong Sequence, ulong FirstIndex, int GoodBytes = 0)
{
    private const string Suffix = ".wal";

    public string Name => $"{Sequence:x16}-{FirstIndex:x16}{Suffix}";

    public static Segment? Parse(string name) =>
        name.EndsWith(Suffix, StringComparison.Ordinal) && name.Length == 33 + Suffix.Length
        && SnapshotFile.TryParseHex(name.AsSpan(0, 16), out var sequence)
        && SnapshotFile.TryParseHex(name.AsSpan(17, 16), out var first)
            ? new Segment(sequence, first)
            : null;
}

/// <summary>Files that go with what is unreadable.</summary>
internal sealed record Cut(IReadOnlyList<string> Delete);

/// <summary>Reads the segments and the newest snapshot, up to their end or to the first thing that is not as it was
/// written.</summary>
internal sealed class LogReading
{
    private readonly IDisk _disk;
    private readonly Snapshot? _snapshot;
    private readonly List<Entry> _entries = [];
    private readonly ulong _firstNeeded;
    private ulong _next;
    private int _torn;
    private CoordinatorDataException? _damage;

    private LogReading(IDisk disk, bool mustBeThere)
    {
        _disk = disk;
        var names = disk.List();
        var found = names.Select(Segment.Parse).OfType<Segment>().OrderBy(segment => segment.Sequence).ToList();
        _snapshot = LoadNewest(names);
        _firstNeeded = (_snapshot?.Index ?? 0) + 1;
        _next = _firstNeeded;
        if (_damage is null)
        {
            Read(found, mustBeThere);
        }
        if (_damage is not null)
        {
            var kept = Segments.Select(segment => segment.Name).ToHashSet(StringComparer.Ordinal);
            Cut = new Cut([.. names.Where(name => !kept.Contains(name)
                && (Segment.Parse(name) is not null || (_snapshot is null && SnapshotFile.TryParse(name, out _))))]);
        }
    }

    public List<Segment> Segments { get; } = [];

    public Cut? Cut { get; }

    /// <summary>Of the segments that are there, also of those that go.</summary>
    public ulong LastSequence { get; private set; }

    public HardState HardState { get; private set; }

    public ulong LastIndex => _next - 1;

    public RecoveredLog Recovered => new(HardState, _snapshot, _entries, _torn, _damage, _damage is null ? 0 : _next);

    /// <exception cref="CoordinatorDataException">Another version wrote it.</exception>
    public static LogReading Of(IDisk disk, bool mustBeThere) => new(disk, mustBeThere);

    private Snapshot? LoadNewest(IReadOnlyList<string> names)
    {
        var newest = names.Where(name => SnapshotFile.TryParse(name, out _)).Max(StringComparer.Ordinal);
        try
        {
            return newest is null ? null : SnapshotFile.Load(_disk, newest);
        }
        catch (CoordinatorDataException unreadable)
        {
            _damage = unreadable;
            return null;
        }
    }

    private void Read(List<Segment> found, bool mustBeThere)
    {
        if (found.Count == 0 && (_snapshot is not null || mustBeThere))
        {
            _damage = SegmentReader.Damage("the log", 0, $"the segments after entry {_firstNeeded - 1} are missing");
        }
        else if (found.Count > 0 && found[0].FirstIndex > _firstNeeded)
        {
            _damage = SegmentReader.Damage(
                found[0].Name, 0, $"the entries from {_firstNeeded} on are missing before it");
        }
        else if (found.Count > 0)
        {
            _next = found[0].FirstIndex;
        }
        for (var i = 0; i < found.Count && _damage is null; i++)
        {
            var isLast = i == found.Count - 1;
            if (i > 0 && (found[i].Sequence != found[i - 1].Sequence + 1 || found[i].FirstIndex != _next))
            {
                _damage = SegmentReader.Damage(found[i].Name, 0, "the segment before it is missing");
                break;
            }
            Read(found[i], isLast);
        }
        if (_damage is null && _next < _firstNeeded)
        {
            _damage = SegmentReader.Damage(
                found[^1].Name, 0, $"it ends at entry {_next - 1}, before the snapshot does");
        }
        if (_next < _firstNeeded)
        {
            // What the snapshot holds is not missed; but nothing may be appended behind what ends before it.
            _next = _firstNeeded;
            LastSequence = found.Count > 0 ? found[^1].Sequence : 0;
            Segments.Clear();
        }
    }

    private void Read(Segment segment, bool isLast)
    {
        using var file = _disk.Open(segment.Name);
        var bytes = file.ReadAll();
        var (records, goodBytes, damage) = SegmentReader.Read(segment.Name, bytes, isLast);
        if (records.Count == 0 || records[0].Header.Type != RecordType.SegmentHeader)
        {
            _damage = damage ?? SegmentReader.Damage(segment.Name, 0, "its header is unreadable");
            return;
        }
        for (var i = 0; i < records.Count; i++)
        {
            var isLastRecord = isLast && i == records.Count - 1;
            var fault = Take(segment, records[i], isLastRecord, out var isVoid);
            if (fault is not null || isVoid)
            {
                (goodBytes, damage) = (records[i].Offset, fault);
                break;
            }
        }
        _damage = damage;
        _torn = damage is null ? bytes.Length - goodBytes : 0;
        if (goodBytes > 0)
        {
            Segments.Add(segment with { GoodBytes = goodBytes });
        }
    }

    /// <param name="isVoid">The snapshot that this announces was not kept any more.</param>
    private CoordinatorDataException? Take(Segment segment, LogRecord record, bool isLastRecord, out bool isVoid)
    {
        isVoid = false;
        var header = record.Header;
        switch (header.Type)
        {
            case RecordType.SegmentHeader:
                return TakeHeader(segment, SegmentHeader.Parser.ParseFrom(record.Payload.Span));
            case RecordType.HardState:
                HardState = HardStates.Of(SavedHardState.Parser.ParseFrom(record.Payload.Span));
                return null;
            case RecordType.Command or RecordType.TermStart or RecordType.Membership or RecordType.Truncate
                when header.Index > _next || header.Index == 0:
                return SegmentReader.Damage(
                    segment.Name, record.Offset, $"entry {header.Index} stands where {_next} belongs");
            case RecordType.Truncate:
                EndAt(header.Index);
                return null;
            case RecordType.Command:
                return Append(header, EntryKind.Command, record.Payload);
            case RecordType.TermStart:
                return Append(header, EntryKind.TermStart, record.Payload);
            case RecordType.Membership:
                return Append(header, EntryKind.Membership, record.Payload);
            case RecordType.Install when _snapshot is not null && _snapshot.Index >= header.Index:
                _entries.Clear();
                _next = header.Index + 1;
                return null;
            case RecordType.Install when isLastRecord:
                isVoid = true;
                return null;
            default:
                return SegmentReader.Damage(
                    segment.Name, record.Offset, $"a record of type {header.Type} does not belong there");
        }
    }

    private CoordinatorDataException? TakeHeader(Segment segment, SegmentHeader header)
    {
        if (header.Format is < 1 or > WriteAheadLog.Format)
        {
            throw new CoordinatorDataException(
                $"{segment.Name} is written in format {header.Format}; this version of Hexcast reads 1 to " +
                $"{WriteAheadLog.Format}. Start the version that wrote it.");
        }
        HardState = HardStates.Of(header.HardState);
        return header.Sequence != segment.Sequence || header.FirstIndex != segment.FirstIndex
            ? SegmentReader.Damage(segment.Name, 0, "its header belongs to another segment")
            : null;
    }

    private CoordinatorDataException? Append(RecordHeader header, EntryKind kind, ReadOnlyMemory<byte> payload)
    {
        EndAt(header.Index);
        if (header.Index >= _firstNeeded)
        {
            _entries.Add(new Entry(header.Term, header.Index, kind, payload.ToArray()));
        }
        _next = header.Index + 1;
        return null;
    }

    private void EndAt(ulong index)
    {
        while (_entries.Count > 0 && _entries[^1].Index >= index)
        {
            _entries.RemoveAt(_entries.Count - 1);
        }
        _next = index;
    }
}

/// <summary>The two forms of a hard state.</summary>
internal static class HardStates
{
    public static SavedHardState ToSaved(this HardState state) =>
        new() { Term = state.Term, Vote = state.Vote, Recovering = state.Recovering };

    public static HardState Of(SavedHardState? saved) =>
        saved is null ? default : new HardState(saved.Term, saved.Vote, saved.Recovering);
}
