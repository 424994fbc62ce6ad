using System.Diagnostics;

namespace Hexcast.Raft;

/// <summary>Mistakes that Raft does not forgive. The simulator must find each one: that is its test.</summary>
internal enum PlantedFault
{
    None,
    VoteAnsweredBeforeFsync,
    AppendAnsweredBeforeFsync,
    LeaderCountsItselfBeforeFsync,
    VoteForgottenAtRestart,
    VotesTwiceInATerm,
    VotesForAnOlderLog,
    OldTermAccepted,
    EntrySkipped,
    ConflictKept,
    CommitsAnOlderTermsEntry,
    FollowerCommitsBeyondWhatItChecked,
    ReadWithoutAQuorum,
    ReadBeforeTheTermIsEstablished,
    TwoChangesAtOnce,
    MembersNotRolledBack,
    RecoveringNodeVotes,
    RecoveryForgottenAtRestart,
    SnapshotWithoutItsLastPiece,
}

/// <summary>
/// The places of the planted faults. The compiler leaves out every call to <see cref="Bend"/> unless PLANTED_FAULTS is
/// defined, as tests/PlantedFaults alone does, which compiles these sources anew: no build that is shipped has them.
/// </summary>
internal static class Planted
{
#if PLANTED_FAULTS
    [ThreadStatic]
    private static PlantedFault _active;

    public static PlantedFault Active
    {
        get => _active;
        set => _active = value;
    }
#endif

    /// <summary>Where this fault is planted, the decision is made wrongly.</summary>
    [Conditional("PLANTED_FAULTS")]
    public static void Bend(PlantedFault fault, ref bool decision, bool to)
    {
#if PLANTED_FAULTS
        decision = _active == fault ? to : decision;
#endif
    }
}
