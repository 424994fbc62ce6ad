using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>The keys in byte order. Deleted ones stay until a compaction takes their last version.</summary>
internal sealed class KeyIndex
{
    private readonly SortedSet<KeyHistory> _ordered =
        new(Comparer<KeyHistory>.Create((left, right) => Bytes.Compare(left.Key, right.Key)));
    private readonly Dictionary<ByteString, KeyHistory> _byKey = [];

    public int Count => _byKey.Count;

    public bool TryGet(ByteString key, [MaybeNullWhen(false)] out KeyHistory history) =>
        _byKey.TryGetValue(key, out history);

    public KeyHistory GetOrAdd(ByteString key)
    {
        if (!_byKey.TryGetValue(key, out var history))
        {
            history = new KeyHistory(key);
            _byKey.Add(key, history);
            _ordered.Add(history);
        }
        return history;
    }

    public void Remove(KeyHistory history)
    {
        _byKey.Remove(history.Key);
        _ordered.Remove(history);
    }

    public IEnumerable<KeyHistory> All => _ordered;

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
        var last = _ordered.Max;
        if (last is null || range.IsEmpty || Bytes.Compare(range.Key, last.Key) > 0)
        {
            yield break;
        }
        var upper = range.End is null || Bytes.Compare(range.End, last.Key) > 0 ? last : new KeyHistory(range.End);
        foreach (var history in _ordered.GetViewBetween(new KeyHistory(range.Key), upper))
        {
            if (range.Contains(history.Key))
            {
                yield return history;
            }
        }
    }
}
