using System.Runtime.InteropServices;
using Google.Protobuf;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>One write: what the key holds now (of a deletion, only key and revision) and what it held before.</summary>
internal readonly record struct Change(Event.Types.EventType Type, KeyValue Current, KeyValue? Previous);

/// <summary>All that one revision changed, in order. Never empty.</summary>
internal sealed record RevisionChanges(long Revision, IReadOnlyList<Change> Changes)
{
    /// <summary>What its versions weigh.</summary>
    public long SizeBytes { get; } = Changes.Sum(change => KeyHistory.SizeOf(change.Current.Key, change.Current));
}

/// <summary>
/// Keys with all their versions since the last compaction, as in etcd: every transaction that changes something makes
/// one revision. Single-threaded, no clock, no I/O. A <see cref="KeyValue"/> in it is shared and never changed again.
/// </summary>
internal sealed class MvccStore
{
    /// <summary>Changes whose keys a compaction lets go of before it is answered.</summary>
    private const int CleanedAtOnce = 4_096;

    /// <summary>Keys are not empty, so none is before it; and as the end of a range it stands for none.</summary>
    public static readonly ByteString FirstKey = ByteString.CopyFrom(0);

    private readonly KeyIndex _keys = new();
    // Revision _historyFrom + i is at i: revisions have no gaps.
    private readonly List<RevisionChanges> _history = [];
    private long _historyFrom = 2;
    private List<Change>? _open;

    /// <summary>Of the history's first changes, those whose keys are compacted: that of the compacted revision stays.
    /// </summary>
    private int _cleaned;

    /// <summary>The last revision; an empty store is at 1, like etcd's.</summary>
    public long Revision { get; private set; } = 1;

    /// <summary>Reads and watches below it are refused; 0 before the first compaction.</summary>
    public long CompactedRevision { get; private set; }

    /// <summary>A snapshot still needs the keys as they were at that revision.</summary>
    public long? KeptFrom { get; set; }

    /// <summary>An upper estimate of the memory that keys, values and their history take.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Of that, the changes after the compacted revision.</summary>
    public long HistoryBytes { get; private set; }

    /// <summary>What reads see: within a transaction, what it wrote so far.</summary>
    public long ReadRevision => _open is { Count: > 0 } ? Revision + 1 : Revision;

    public void Begin()
    {
        if (_open is not null)
        {
            throw new InvalidOperationException("A transaction is open already.");
        }
        _open = [];
    }

    /// <summary>Ends the transaction; null if it changed nothing.</summary>
    public RevisionChanges? Commit()
    {
        var changes = _open ?? throw new InvalidOperationException("No transaction is open.");
        _open = null;
        if (changes.Count == 0)
        {
            return null;
        }
        Revision++;
        var revision = new RevisionChanges(Revision, changes);
        _history.Add(revision);
        HistoryBytes += revision.SizeBytes;
        return revision;
    }

    public KeyValue Put(ByteString key, ByteString value, long lease)
    {
        var history = _keys.GetOrAdd(key);
        var previous = history.Latest;
        var revision = Revision + 1;
        var current = new KeyValue
        {
            Key = key,
            Value = value,
            Lease = lease,
            ModRevision = revision,
            CreateRevision = previous?.CreateRevision ?? revision,
            Version = (previous?.Version ?? 0) + 1,
        };
        Record(history, new Change(Event.Types.EventType.Put, current, previous), current);
        return current;
    }

    /// <summary>Deletes what is in the range; returns what was there, in key order.</summary>
    public IReadOnlyList<KeyValue> Delete(KeyRange range)
    {
        var doomed = _keys.In(range).Where(history => history.Latest is not null).ToList();
        var deleted = new List<KeyValue>(doomed.Count);
        foreach (var history in doomed)
        {
            var previous = history.Latest!;
            var tombstone = new KeyValue { Key = history.Key, ModRevision = Revision + 1 };
            Record(history, new Change(Event.Types.EventType.Delete, tombstone, previous), value: null);
            deleted.Add(previous);
        }
        return deleted;
    }

    public KeyValue? Get(ByteString key) => _keys.TryGet(key, out var history) ? history.Latest : null;

    /// <summary>The keys of the range as they were at a revision that is not compacted, in key order.</summary>
    public IEnumerable<KeyValue> Range(KeyRange range, long revision)
    {
        foreach (var history in _keys.In(range))
        {
            if (history.At(revision) is { } value)
            {
                yield return value;
            }
        }
    }

    /// <summary>Everything from a revision on, without a copy. The caller has checked that it is not
    /// compacted.</summary>
    public ReadOnlySpan<RevisionChanges> ChangesFrom(long revision)
    {
        var skip = Math.Max(0, revision - _historyFrom);
        return skip >= _history.Count ? [] : CollectionsMarshal.AsSpan(_history)[(int)skip..];
    }

    /// <summary>The revision after which no more than so many bytes of changes come.</summary>
    public long FirstOfTheLast(long bytes)
    {
        var revision = Revision;
        for (var i = _history.Count - 1; i >= 0 && (bytes -= _history[i].SizeBytes) >= 0; i--)
        {
            revision = _history[i].Revision - 1;
        }
        return revision;
    }

    public long Count(KeyRange range, long revision) => _keys.Count(range, revision);

    /// <summary>The first keys that are not before this one, as they were at the compacted revision; and where to go
    /// on, null at the end.</summary>
    public ByteString? Base(ByteString from, long compactedRevision, int keys, List<KeyValue> into)
    {
        foreach (var history in _keys.In(KeyRange.Of(from, FirstKey)))
        {
            if (keys-- == 0)
            {
                return history.Key;
            }
            if (history.At(compactedRevision) is { } value)
            {
                into.Add(value);
            }
        }
        return null;
    }

    /// <summary>Forgets what nobody may read any more: a part of it at once, the rest by <see cref="Clean"/>.</summary>
    public CoordinatorError Compact(long revision)
    {
        if (revision <= CompactedRevision)
        {
            return CoordinatorError.Compacted;
        }
        if (revision > Revision)
        {
            return CoordinatorError.FutureRevision;
        }
        foreach (var gone in ChangesFrom(CompactedRevision + 1)[..(int)(revision - Math.Max(CompactedRevision, 1))])
        {
            HistoryBytes -= gone.SizeBytes;
        }
        CompactedRevision = revision;
        Clean(CleanedAtOnce);
        return CoordinatorError.None;
    }

    /// <summary>
    /// Lets go of versions that a compaction has left, of at least so many changes, unless they are kept for a
    /// snapshot. In pieces: all at once, a million of them would hold up whoever waits for this thread.
    /// </summary>
    public void Clean(int changes)
    {
        var until = Math.Min(CompactedRevision, KeptFrom ?? CompactedRevision);
        // A key has something to lose only if it changed since the last compaction.
        var passed = 0;
        while (changes > 0 && passed + _cleaned < _history.Count && _history[passed + _cleaned].Revision <= until)
        {
            foreach (var change in _history[passed + _cleaned].Changes)
            {
                CompactKey(change.Current.Key, until);
                changes--;
            }
            passed++;
        }
        // The revision itself stays watchable, as in etcd: it is passed, and stays.
        var done = passed + _cleaned;
        _cleaned = done > 0 && _history[done - 1].Revision == CompactedRevision ? 1 : 0;
        _history.RemoveRange(0, done - _cleaned);
        _historyFrom += done - _cleaned;
    }

    /// <summary>Puts back one key as it was at the compacted revision.</summary>
    public void RestoreBase(KeyValue value)
    {
        KeyIndex.Add(_keys.GetOrAdd(value.Key), value.ModRevision, value);
        SizeBytes += KeyHistory.SizeOf(value.Key, value);
    }

    public void RestoreRevisions(long revision, long compactedRevision, IEnumerable<RevisionChanges> history)
    {
        CompactedRevision = compactedRevision;
        _historyFrom = Math.Max(2, compactedRevision);
        foreach (var saved in history)
        {
            var changes = new List<Change>(saved.Changes.Count);
            foreach (var change in saved.Changes)
            {
                // The compacted revision's own changes are in the base already; they are kept for watches only.
                var inBase = saved.Revision <= compactedRevision;
                var key = _keys.GetOrAdd(change.Current.Key);
                changes.Add(inBase ? change : change with { Previous = key.Latest });
                if (!inBase)
                {
                    Add(key, saved.Revision, change.Type == Event.Types.EventType.Put ? change.Current : null);
                }
                else if (key.IsEmpty)
                {
                    _keys.Remove(key);
                }
            }
            var restored = new RevisionChanges(saved.Revision, changes);
            _history.Add(restored);
            HistoryBytes += restored.Revision > compactedRevision ? restored.SizeBytes : 0;
        }
        if (_history.Count > 0)
        {
            _historyFrom = _history[0].Revision;
        }
        else
        {
            _historyFrom = revision + 1;
        }
        Revision = revision;
    }

    private void Record(KeyHistory history, Change change, KeyValue? value)
    {
        if (_open is null)
        {
            throw new InvalidOperationException("Writes need an open transaction.");
        }
        _open.Add(change);
        Add(history, Revision + 1, value);
    }

    private void Add(KeyHistory history, long revision, KeyValue? value)
    {
        KeyIndex.Add(history, revision, value);
        SizeBytes += KeyHistory.SizeOf(history.Key, value);
    }

    private void CompactKey(ByteString key, long revision)
    {
        if (!_keys.TryGet(key, out var history))
        {
            return;
        }
        SizeBytes -= history.Compact(revision);
        if (history.IsEmpty)
        {
            _keys.Remove(history);
        }
    }
}
