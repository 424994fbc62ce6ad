namespace Hexcast.Coordination.Client;

public enum WatchEventKind
{
    Put,
    Delete,
}

public sealed record WatchEvent(WatchEventKind Kind, CoordinatorKeyValue KeyValue);

/// <summary>
/// What a watch yields: every change in order, none twice and none left out; or, where the coordinator no longer holds
/// the changes in between, the whole state to go on from.
/// </summary>
/// <param name="Revision">The reader knows everything up to here once it has taken this batch.</param>
public abstract record WatchBatch(long Revision)
{
    /// <summary>Replaces everything that the reader knew: a key that is not in it does not exist.</summary>
    public sealed record Resync(long Revision, IReadOnlyList<CoordinatorKeyValue> KeyValues) : WatchBatch(Revision);

    /// <summary>All the changes of one or more whole revisions.</summary>
    public sealed record Changes(long Revision, IReadOnlyList<WatchEvent> Events) : WatchBatch(Revision);
}
