using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Coordination.Embedded;

internal static class Recovery
{
    /// <summary>
    /// The state that the log describes. With one voter every entry in it is committed: also those that were written
    /// but not acknowledged before the crash, which their callers may see done, as after any time-out.
    /// </summary>
    public static StateMachine Replay(RecoveredLog recovered)
    {
        var state = new StateMachine();
        if (recovered.Snapshot is { } snapshot)
        {
            SnapshotContent.Restore(state, snapshot.State);
        }
        foreach (var entry in recovered.Entries)
        {
            state.Apply(entry.Command, now: TimeSpan.Zero, changed: _ => { });
        }
        return state;
    }
}
