using System.Diagnostics;

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
}

/// <summary>
/// The places of the planted faults. The compiler leaves out every call to <see cref="Bend"/> unless PLANTED_FAULTS is
/// defined, as tests/PlantedFaults alone does, which compiles these sources anew: no build that is shipped has them.
/// </summary>
internal static class PlantedInCoordinator
{
#if PLANTED_FAULTS
    [ThreadStatic]
    private static CoordinatorFault _active;

    public static CoordinatorFault Active
    {
        get => _active;
        set => _active = value;
    }
#endif

    /// <summary>Where this fault is planted, the decision is made wrongly.</summary>
    [Conditional("PLANTED_FAULTS")]
    public static void Bend(CoordinatorFault fault, ref bool decision, bool to)
    {
#if PLANTED_FAULTS
        decision = _active == fault ? to : decision;
#endif
    }
}
