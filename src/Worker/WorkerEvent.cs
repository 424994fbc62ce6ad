using Hexcast.Contracts.V1;

namespace Hexcast.Worker;

/// <summary>What happens to a worker. A session is one stream to the master; they are numbered from 1.</summary>
internal abstract record WorkerEvent
{
    public sealed record Started : WorkerEvent;

    public sealed record StreamOpened(int Session) : WorkerEvent;

    public sealed record StreamLost(int Session) : WorkerEvent;

    public sealed record Received(int Session, MasterMessage Message) : WorkerEvent;

    /// <summary>The node stops: what runs may end, and nothing more begins.</summary>
    public sealed record Leave : WorkerEvent;

    /// <summary>What runs has had its time and is handed back.</summary>
    public sealed record LeaveNow : WorkerEvent;

    /// <summary>Comes every heartbeat interval.</summary>
    public sealed record Tick(NodeLoad Load) : WorkerEvent;

    public sealed record Progressed(AttemptKey Attempt, double Fraction, double Speed) : WorkerEvent;

    /// <summary>Of a failed or cancelled attempt nothing is left: no process, no file, no object.</summary>
    public sealed record Ended(AttemptKey Attempt, AttemptOutcome Outcome) : WorkerEvent;

    public sealed record Answered(AttemptKey Attempt, ReportStatusResponse.Types.Verdict Verdict) : WorkerEvent;

    public sealed record ReportFailed(AttemptKey Attempt) : WorkerEvent;

    public sealed record Removed(AttemptKey Attempt) : WorkerEvent;
}

/// <summary>Exactly one of the two.</summary>
internal sealed record AttemptOutcome(TaskCommit? Commit, TaskFailure? Failure)
{
    public static AttemptOutcome Committed(TaskCommit commit) => new(commit, null);

    public static AttemptOutcome Failed(string code, string message, bool permanent = false, string logTail = "") =>
        new(null, new TaskFailure { Code = code, Message = message, Permanent = permanent, LogTail = logTail });
}

/// <summary>How busy the machine is.</summary>
internal readonly record struct NodeLoad(
    double CpuLoad, long MemoryFreeBytes, long MemoryTotalBytes, long ScratchFreeBytes);
