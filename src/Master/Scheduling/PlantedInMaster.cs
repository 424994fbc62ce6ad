using System.Diagnostics;

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

/// <summary>
/// The places of the planted faults. The compiler leaves out every call to <see cref="Bend"/> unless PLANTED_FAULTS is
/// defined, as tests/PlantedFaults alone does, which compiles these sources anew: no build that is shipped has them.
/// </summary>
internal static class PlantedInMaster
{
#if PLANTED_FAULTS
    [ThreadStatic]
    private static MasterFault active;

    public static MasterFault Active
    {
        get => active;
        set => active = value;
    }
#endif

    /// <summary>Where this fault is planted, the decision is made wrongly.</summary>
    [Conditional("PLANTED_FAULTS")]
    public static void Bend(MasterFault fault, ref bool decision, bool to)
    {
#if PLANTED_FAULTS
        decision = active == fault ? to : decision;
#endif
    }
}
