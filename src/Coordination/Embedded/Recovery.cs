using Hexcast.Coordination.Embedded.Log;
using Hexcast.Raft;

namespace Hexcast.Coordination.Embedded;

/// <summary>What a member starts with: the state of its snapshot, and the log behind it. Which of that is committed,
/// the group will tell.</summary>
internal sealed record Recovery(StateMachine State, Recovered ForRaft)
{
    /// <param name="alone">The group has this one member: logs of the first versions do not say so.</param>
    public static Recovery Of(RecoveredLog log, HardState hardState, Members alone)
    {
        var state = new StateMachine();
        var mark = SnapshotMark.Start(alone);
        if (log.Snapshot is { } snapshot)
        {
            SnapshotContent.Restore(state, snapshot.State);
            mark = snapshot.Mark.Members.Count > 0 ? snapshot.Mark : snapshot.Mark with { Members = alone };
        }
        return new Recovery(state, new Recovered(hardState, mark, log.Entries));
    }
}
