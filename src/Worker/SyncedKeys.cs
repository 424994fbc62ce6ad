using Google.Protobuf;
using Hexcast.Contracts.V1;

namespace Hexcast.Worker;

/// <summary>The cluster's settings, rules and drained nodes as the master tells them, and how far it has.</summary>
internal sealed class SyncedKeys
{
    private readonly SortedDictionary<string, ByteString> values = new(StringComparer.Ordinal);

    // Pieces of a snapshot that is not whole yet.
    private readonly List<SyncEntry> pieces = [];

    /// <summary>Null: nothing is known, or what was known has a gap.</summary>
    public SyncPosition? Position { get; private set; }

    public IReadOnlyDictionary<string, ByteString> All => values;

    public ByteString? Find(string key) => values.GetValueOrDefault(key);

    public void Take(SyncSnapshot snapshot)
    {
        pieces.AddRange(snapshot.Entries);
        if (snapshot.More)
        {
            return;
        }

        values.Clear();
        foreach (var entry in pieces)
        {
            values[entry.Key] = entry.Value;
        }

        pieces.Clear();
        Position = new SyncPosition { Term = snapshot.Term, Seq = snapshot.Seq };
    }

    /// <summary>False: events before it are missing, and only a snapshot helps.</summary>
    public bool Take(SyncEvent change)
    {
        if (Position is null || change.Seq > Position.Seq + 1)
        {
            Position = null;
            return false;
        }

        if (change.Seq == Position.Seq + 1)
        {
            Position.Seq = change.Seq;
            if (change.Deleted)
            {
                values.Remove(change.Key);
            }
            else
            {
                values[change.Key] = change.Value;
            }
        }

        return true;
    }

    /// <summary>A stream begins: what the last one left unfinished is told again.</summary>
    public void Begin() => pieces.Clear();
}
