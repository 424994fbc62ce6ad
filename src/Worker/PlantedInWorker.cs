using System.Diagnostics;

namespace Hexcast.Worker;

/// <summary>Mistakes of a worker that cost jobs. The simulator must find each one: that is its test.</summary>
internal enum WorkerFault
{
    None,
    DrainOutlivesItsStream,
    UnreportedNotClaimed,
    CommitDeletedWithoutAVerdict,
    ReportGivenUp,
}

/// <summary>As in the master: compiled in by tests/PlantedFaults alone.</summary>
internal static class PlantedInWorker
{
#if PLANTED_FAULTS
    [ThreadStatic]
    private static WorkerFault active;

    public static WorkerFault Active
    {
        get => active;
        set => active = value;
    }
#endif

    /// <summary>Where this fault is planted, the decision is made wrongly.</summary>
    [Conditional("PLANTED_FAULTS")]
    public static void Bend(WorkerFault fault, ref bool decision, bool to)
    {
#if PLANTED_FAULTS
        decision = active == fault ? to : decision;
#endif
    }
}
