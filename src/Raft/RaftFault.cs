namespace Hexcast.Raft;

/// <summary>Mistakes that Raft does not forgive. The simulator must find each one: that is its test.</summary>
internal enum RaftFault
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
