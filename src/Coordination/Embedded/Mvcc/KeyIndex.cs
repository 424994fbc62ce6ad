using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>
/// The keys in byte order, in blocks, each of which knows how many of its keys exist: what is read page by page counts
/// all that is left for each page. Deleted keys stay until a compaction takes their last version.
/// </summary>
internal sealed class KeyIndex
{
    private readonly List<KeyBlock> _blocks = [];
    private readonly Dictionary<ByteString, KeyHistory> _byKey = [];

    public bool TryGet(ByteString key, [MaybeNullWhen(false)] out KeyHistory history) =>
        _byKey.TryGetValue(key, out history);

    public KeyHistory GetOrAdd(ByteString key)
    {
        if (_byKey.TryGetValue(key, out var history))
        {
            return history;
        }
        history = new KeyHistory(key);
        _byKey.Add(key, history);
        if (_blocks.Count == 0)
        {
            _blocks.Add(new KeyBlock());
        }
        var at = BlockOf(key);
        if (_blocks[at].Insert(history) is { } upper)
        {
            _blocks.Insert(at + 1, upper);
        }
        return history;
    }

    /// <summary>A version of the key, newer than all that it has; without a value it is deleted.</summary>
    public static void Add(KeyHistory history, long revision, Contracts.Etcd.KeyValue? value)
    {
        history.Block!.NoteChange(
            (value is null ? 0 : 1) - (history.Latest is null ? 0 : 1), revision);
        history.Add(revision, value);
    }

    /// <summary>It has no version any more.</summary>
    public void Remove(KeyHistory history)
    {
        _byKey.Remove(history.Key);
        var at = BlockOf(history.Key);
        _blocks[at].Remove(history);
        if (_blocks[at].Keys.Count == 0)
        {
            _blocks.RemoveAt(at);
        }
    }

    public IEnumerable<KeyHistory> In(KeyRange range)
    {
        if (range.IsPoint)
        {
            if (_byKey.TryGetValue(range.Key, out var history))
            {
                yield return history;
            }
            yield break;
        }
        if (_blocks.Count == 0 || range.IsEmpty)
        {
            yield break;
        }
        var first = BlockOf(range.Key);
        for (var at = first; at < _blocks.Count; at++)
        {
            var keys = _blocks[at].Keys;
            for (var i = at == first ? _blocks[at].IndexOf(range.Key) : 0; i < keys.Count; i++)
            {
                if (!range.Contains(keys[i].Key))
                {
                    yield break;
                }
                yield return keys[i];
            }
        }
    }

    /// <summary>How many keys of the range existed at a revision that is not compacted.</summary>
    public long Count(KeyRange range, long revision)
    {
        if (range.IsPoint || _blocks.Count == 0 || range.IsEmpty)
        {
            return In(range).LongCount(history => history.At(revision) is not null);
        }
        long count = 0;
        for (var at = BlockOf(range.Key); at < _blocks.Count; at++)
        {
            var block = _blocks[at];
            if (range.End is not null && Bytes.Compare(block.Keys[0].Key, range.End) >= 0)
            {
                break;
            }
            count += block.LastRevision <= revision && range.Contains(block.Keys[0].Key)
                && range.Contains(block.Keys[^1].Key)
                ? block.Existing
                : block.Keys.Count(history => range.Contains(history.Key) && history.At(revision) is not null);
        }
        return count;
    }

    /// <summary>Where the key is or would be.</summary>
    private int BlockOf(ByteString key)
    {
        var (low, high) = (0, _blocks.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (Bytes.Compare(_blocks[middle].Keys[0].Key, key) <= 0)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }
        return low;
    }
}

/// <summary>Neighbouring keys. Only the only block there is may be empty, for a moment.</summary>
internal sealed class KeyBlock
{
    private const int MaximumKeys = 512;

    public List<KeyHistory> Keys { get; } = [];

    /// <summary>Keys that have a value now.</summary>
    public int Existing { get; private set; }

    /// <summary>Since it nothing has changed here.</summary>
    public long LastRevision { get; private set; }

    /// <returns>The upper half of the keys, once there are too many.</returns>
    public KeyBlock? Insert(KeyHistory history)
    {
        Keys.Insert(IndexOf(history.Key), history);
        history.Block = this;
        if (Keys.Count <= MaximumKeys)
        {
            return null;
        }
        var upper = new KeyBlock { LastRevision = LastRevision };
        upper.Keys.AddRange(Keys[(MaximumKeys / 2)..]);
        Keys.RemoveRange(MaximumKeys / 2, upper.Keys.Count);
        foreach (var moved in upper.Keys)
        {
            moved.Block = upper;
            upper.Existing += moved.Latest is null ? 0 : 1;
        }
        Existing -= upper.Existing;
        return upper;
    }

    public void Remove(KeyHistory history) => Keys.RemoveAt(IndexOf(history.Key));

    public void NoteChange(int existing, long revision)
    {
        Existing += existing;
        LastRevision = Math.Max(LastRevision, revision);
    }

    /// <summary>Of the first key that is not before this one.</summary>
    public int IndexOf(ByteString key)
    {
        var (low, high) = (0, Keys.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Bytes.Compare(Keys[middle].Key, key) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}
