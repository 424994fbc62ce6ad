using Hexcast.Master.Scheduling;

namespace Hexcast.Master;

/// <summary>
/// Effects that wait for their turn. <see cref="Persist"/>s that are already waiting are committed together, whatever
/// lies between them: while one transaction is on its way to the disk, the next one grows.
/// </summary>
internal sealed class EffectLog
{
    /// <summary>etcd takes 128 guards, 128 operations and 1.5 MiB in a transaction. Each write has a guard; two more
    /// compare the fence and the term's key.</summary>
    private const int BatchLimitWrites = 100;
    private const int BatchLimitBytes = 1024 * 1024;

    private readonly Queue<SchedulerEffect> waiting = new();
    private int inFlight;
    private int durable;

    public int Count => waiting.Count;

    public void Add(IEnumerable<SchedulerEffect> effects)
    {
        foreach (var effect in effects)
        {
            waiting.Enqueue(effect);
        }
    }

    /// <summary>The next effect that may be executed; null: the first is not durable yet, or there is none.</summary>
    public SchedulerEffect? Next()
    {
        while (waiting.TryPeek(out var effect))
        {
            if (effect is not Persist)
            {
                return waiting.Dequeue();
            }

            var mustWait = durable == 0;
            Planted.Bend(MasterFault.AnsweredBeforeDurable, ref mustWait, to: false);
            if (mustWait)
            {
                return null;
            }

            durable--;
            waiting.Dequeue();
        }

        return null;
    }

    /// <summary>
    /// What to commit next, each key once with its last value. Null: nothing waits. Empty: only the fence is asked for.
    /// </summary>
    public IReadOnlyList<RecordWrite>? TakeBatch()
    {
        var batch = new OrderedDictionary<string, RecordWrite>(StringComparer.Ordinal);
        var bytes = 0;
        foreach (var persist in waiting.OfType<Persist>())
        {
            bytes += persist.Writes.Sum(w => w.Value?.CalculateSize() ?? 0);
            if (inFlight > 0 && (batch.Count + persist.Writes.Count > BatchLimitWrites || bytes > BatchLimitBytes))
            {
                break;
            }

            foreach (var write in persist.Writes)
            {
                batch[write.Key] = write;
            }

            inFlight++;
        }

        return inFlight > 0 ? [.. batch.Values] : null;
    }

    public void Committed()
    {
        durable += inFlight;
        inFlight = 0;
    }
}
