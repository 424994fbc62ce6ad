namespace Hexcast.Playback.Versions;

/// <summary>Keeps the values used last, up to a total weight. Any thread may call.</summary>
internal sealed class WeightedLru<TKey, TValue>(long weightLimit) where TKey : notnull
{
    private readonly Lock turn = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> entries = [];

    /// <summary>Used last comes first.</summary>
    private readonly LinkedList<Entry> byUse = new();

    private long weight;

    public int Count
    {
        get
        {
            lock (turn)
            {
                return entries.Count;
            }
        }
    }

    public bool TryGet(TKey key, out TValue value)
    {
        lock (turn)
        {
            if (!entries.TryGetValue(key, out var node))
            {
                value = default!;
                return false;
            }

            byUse.Remove(node);
            byUse.AddFirst(node);
            value = node.Value.Value;
            return true;
        }
    }

    /// <summary>The value under the key, or <paramref name="value"/> if there is none or it does not pass.</summary>
    public TValue GetOrReplace(TKey key, Func<TValue, bool> passes, TValue value, long valueWeight)
    {
        lock (turn)
        {
            if (entries.TryGetValue(key, out var node) && passes(node.Value.Value))
            {
                return node.Value.Value;
            }

            Put(key, value, valueWeight);
            return value;
        }
    }

    public void Set(TKey key, TValue value, long valueWeight)
    {
        lock (turn)
        {
            Put(key, value, valueWeight);
        }
    }

    /// <summary>Gives the value a new weight if it is still the one under the key.</summary>
    public void Reweigh(TKey key, TValue value, long valueWeight)
    {
        lock (turn)
        {
            if (entries.TryGetValue(key, out var node) &&
                EqualityComparer<TValue>.Default.Equals(node.Value.Value, value))
            {
                Put(key, value, valueWeight);
            }
        }
    }

    public void Remove(TKey key)
    {
        lock (turn)
        {
            RemoveHoldingTurn(key);
        }
    }

    public void Clear()
    {
        lock (turn)
        {
            entries.Clear();
            byUse.Clear();
            weight = 0;
        }
    }

    private void Put(TKey key, TValue value, long valueWeight)
    {
        RemoveHoldingTurn(key);
        entries[key] = byUse.AddFirst(new Entry(key, value, valueWeight));
        weight += valueWeight;
        // What is in use now stays, even if it alone is over the limit.
        while (weight > weightLimit && byUse.Count > 1)
        {
            RemoveHoldingTurn(byUse.Last!.Value.Key);
        }
    }

    private void RemoveHoldingTurn(TKey key)
    {
        if (entries.Remove(key, out var node))
        {
            byUse.Remove(node);
            weight -= node.Value.Weight;
        }
    }

    private readonly record struct Entry(TKey Key, TValue Value, long Weight);
}
