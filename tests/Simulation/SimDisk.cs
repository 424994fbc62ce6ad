using Hexcast.Raft;

namespace Hexcast.Simulation;

/// <summary>
/// A disk with a cache: what was written is durable once it was synced, in order; a loss of power keeps any beginning
/// of what was not, and may tear the write at its end. Term and vote are kept twice, so that damage never takes both.
/// </summary>
internal sealed class SimDisk(SnapshotMark start)
{
    private readonly Queue<(Action Whole, Action<Dice> Torn, Action Done)> _cache = new();

    public HardState HardState { get; private set; }

    public SnapshotMark Snapshot { get; private set; } = start;

    public byte[] SnapshotBytes { get; private set; } = [];

    public List<Entry> Entries { get; } = [];

    /// <summary>What is damaged stays so until it is cut off; 0: nothing is.</summary>
    public ulong UnreadableFrom { get; private set; }

    public bool HasUnsynced => _cache.Count > 0;

    public int Unsynced => _cache.Count;

    public void Write(RaftEffect.Persist persist, Action done) => _cache.Enqueue((
        () => Take(persist, persist.Entries.Count),
        dice => Tear(persist, dice),
        done));

    public void SaveSnapshot(SnapshotMark mark, byte[] bytes, bool replacesLog, Action done) => _cache.Enqueue((
        () =>
        {
            if (mark.Index <= Snapshot.Index && !replacesLog)
            {
                // One that was installed meanwhile is newer.
                return;
            }
            (Snapshot, SnapshotBytes) = (mark, bytes);
            Entries.RemoveAll(e => replacesLog || e.Index <= mark.Index);
        },
        // Under its name it is whole or not there.
        _ => { },
        done));

    /// <summary>The oldest writes survive from now on; their shells hear of it.</summary>
    public void Sync(int writes)
    {
        List<Action> done = [];
        for (; writes > 0; writes--)
        {
            var write = _cache.Dequeue();
            write.Whole();
            done.Add(write.Done);
        }
        done.ForEach(tell => tell());
    }

    public void LosePower(Dice dice)
    {
        for (var survive = dice.Below(_cache.Count + 1); survive > 0; survive--)
        {
            _cache.Dequeue().Whole();
        }
        if (_cache.TryDequeue(out var torn))
        {
            torn.Torn(dice);
        }
        _cache.Clear();
    }

    /// <summary>Durable bytes go bad: an entry and with it all behind it, or the snapshot and with it everything.
    /// </summary>
    public void Damage(Dice dice, SnapshotMark start)
    {
        if (Snapshot.Index > 0 && dice.Roll(0.2))
        {
            (Snapshot, SnapshotBytes) = (start, []);
            Entries.Clear();
            UnreadableFrom = 1;
        }
        if (Entries.Count == 0)
        {
            return;
        }
        // More often near the end, where it matters whether an entry was acknowledged.
        var at = Entries.Count - 1 - dice.Below(dice.Roll(0.7) ? Math.Min(4, Entries.Count) : Entries.Count);
        UnreadableFrom = Entries[at].Index;
        Entries.RemoveRange(at, Entries.Count - at);
    }

    public bool Holds(ulong index, ulong term) =>
        index <= Snapshot.Index
        || (Entries.Count > 0 && index >= Entries[0].Index && index <= Entries[^1].Index
            && Entries[(int)(index - Entries[0].Index)].Term == term);

    public Recovered Recover() => new(HardState, Snapshot, [.. Entries]);

    private void Take(RaftEffect.Persist persist, int entries)
    {
        HardState = persist.HardState ?? HardState;
        if (persist.TruncateFrom > 0)
        {
            Entries.RemoveAll(e => e.Index >= persist.TruncateFrom);
            UnreadableFrom = 0;
        }
        Entries.AddRange(persist.Entries.Take(entries).Where(e => e.Index > Snapshot.Index));
    }

    private void Tear(RaftEffect.Persist persist, Dice dice)
    {
        switch (dice.Below(3))
        {
            case 0:
                HardState = persist.HardState ?? HardState;
                break;
            case 1:
                Take(persist, dice.Below(persist.Entries.Count + 1));
                break;
        }
    }
}
