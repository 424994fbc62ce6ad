using Google.Protobuf;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>
/// What workers follow: keys of the coordinator, and their changes numbered from one. A worker that was away gets the
/// changes since; one that was away for more than is kept, or knows another term's numbers, a snapshot.
/// </summary>
internal sealed class SyncBoard(SchedulerState state)
{
    /// <summary>Changes that are kept for workers that come back.</summary>
    public const int BufferLimit = 1_024;

    /// <summary>More changes at once are told as a snapshot: they would fill the queues of slow streams.</summary>
    public const int BurstLimit = 256;

    /// <summary>A key with more is not followed. A snapshot goes in pieces of about four such.</summary>
    public const int ValueLimitBytes = 64 * 1024;

    public const int KeyLimit = 10_000;

    private const int PieceLimitBytes = 256 * 1024;

    private readonly SortedDictionary<string, ByteString> values = new(StringComparer.Ordinal);
    private readonly Queue<SyncEvent> recent = new();
    private long seq;

    public ByteString? Find(string key) => values.GetValueOrDefault(key);

    /// <summary>Keys below a prefix, in order, with what follows the prefix.</summary>
    public IEnumerable<(string Name, ByteString Value)> Below(string prefix) =>
        values.Where(v => v.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(v => (v.Key[prefix.Length..], v.Value));

    public void Take(SettingsChanged changed)
    {
        var changes = changed.Values.ToList();
        if (changed.Prefix is { } whole)
        {
            var gone = values.Keys.Where(key => key.StartsWith(whole, StringComparison.Ordinal)).ToHashSet();
            gone.ExceptWith(changed.Values.Select(v => v.Key));
            changes.AddRange(gone.Select(key => new SettingValue(key, null)));
        }

        var isBurst = changes.Count > BurstLimit;
        foreach (var (key, value) in changes)
        {
            Change(key, value, isTold: !isBurst);
        }

        if (isBurst)
        {
            recent.Clear();
            foreach (var worker in state.Sessions.Values)
            {
                SendSnapshot(worker.Session);
            }
        }
    }

    public void Change(string key, ByteString? value) => Change(key, value, isTold: true);

    /// <summary>What the worker of a new stream lacks.</summary>
    public void Greet(long session, SyncPosition? known)
    {
        var oldest = seq - recent.Count;
        var isOfThisTerm = known?.Term == state.TermRevision;
        Planted.Bend(MasterFault.ResumesNumbersOfAnotherTerm, ref isOfThisTerm, to: true);
        if (known is null || !isOfThisTerm || known.Seq < oldest || known.Seq > seq)
        {
            SendSnapshot(session);
            return;
        }

        foreach (var missed in recent.Skip((int)(known.Seq - oldest)))
        {
            state.Emit(new Send(session, new MasterMessage { Sync = missed }));
        }
    }

    private void Change(string key, ByteString? value, bool isTold)
    {
        if (value?.Length > ValueLimitBytes || (value is not null && values.Count >= KeyLimit && Find(key) is null))
        {
            state.Emit(new Note(
                $"{key} is not followed: keys are {KeyLimit} at most, of {ValueLimitBytes} bytes each at most"));
            value = null;
        }

        if (value is null ? !values.Remove(key) : Find(key) == value)
        {
            return;
        }

        if (value is not null)
        {
            values[key] = value;
            if (SettingRules.Complaint(key, value) is { } words)
            {
                state.Emit(new Note(words, IsWarning: true));
            }
        }

        var change = new SyncEvent
        {
            Key = key, Value = value ?? ByteString.Empty, Seq = ++seq, Deleted = value is null,
        };
        if (!isTold)
        {
            return;
        }

        recent.Enqueue(change);
        if (recent.Count > BufferLimit)
        {
            recent.Dequeue();
        }

        foreach (var worker in state.Sessions.Values)
        {
            state.Emit(new Send(worker.Session, new MasterMessage { Sync = change }));
        }
    }

    private void SendSnapshot(long session)
    {
        var piece = new SyncSnapshot { Term = state.TermRevision, Seq = seq };
        var bytes = 0;
        foreach (var (key, value) in values)
        {
            if (bytes > 0 && bytes + key.Length + value.Length > PieceLimitBytes)
            {
                piece.More = true;
                state.Emit(new Send(session, new MasterMessage { Snapshot = piece }));
                (piece, bytes) = (new SyncSnapshot { Term = state.TermRevision, Seq = seq }, 0);
            }

            piece.Entries.Add(new SyncEntry { Key = key, Value = value });
            bytes += key.Length + value.Length;
        }

        state.Emit(new Send(session, new MasterMessage { Snapshot = piece }));
    }
}
