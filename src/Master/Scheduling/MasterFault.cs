namespace Hexcast.Master.Scheduling;

/// <summary>Mistakes that cost jobs or run tasks twice to effect. The simulator must find each one: that is its test.
/// </summary>
internal enum MasterFault
{
    None,
    MastershipNotCompared,
    LateWriteOfAnEarlierTermAccepted,
    LateCommitAccepted,
    AnsweredBeforeDurable,
    AbsenceNotConfirmed,
    AttemptNumberNotDurable,
    CommittedObjectsSwept,
    DrainNotDurable,
    AssignsToAStreamThatIsReplaced,
    ResumesNumbersOfAnotherTerm,
    LostWorkersKeepTheirTasks,
}
