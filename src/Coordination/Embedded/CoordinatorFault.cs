namespace Hexcast.Coordination.Embedded;

/// <summary>Mistakes that a client would see. The simulator must find each one: that is its test.</summary>
internal enum CoordinatorFault
{
    None,
    ReadWithoutProof,
    KeepAliveWithoutProof,
    WatchBegunWithoutProof,
    LeaseCarriedOverShort,
    WatchEventSkippedAtResume,
    CompactedWatchGoesOn,
    AnsweredBeforeFsync,
    WriteRepeatedThatMayBeDone,
    FenceKeptOverTerms,
    KeysForgetTheirLeaseInASnapshot,
    CompactionAcknowledgedThatWasRefused,
    LeaseClockStandsBetweenTicks,
    SnapshotAheadOfItsLog,
}
