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
