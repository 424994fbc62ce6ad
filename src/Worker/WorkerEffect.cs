using Hexcast.Contracts.V1;

namespace Hexcast.Worker;

/// <summary>What the shell is to do. Failures count from 0: the first wait comes before the second try.</summary>
internal abstract record WorkerEffect
{
    public sealed record OpenStream(int Session, int Failures) : WorkerEffect;

    public sealed record CloseStream(int Session, string Reason) : WorkerEffect;

    public sealed record Send(int Session, WorkerMessage Message) : WorkerEffect;

    public sealed record Start(TaskAssignment Task) : WorkerEffect;

    /// <summary>Stops the attempt's tools; <see cref="WorkerEvent.Ended"/> follows.</summary>
    public sealed record Stop(AttemptKey Attempt) : WorkerEffect;

    public sealed record Report(ReportStatusRequest Request, int Failures) : WorkerEffect;

    /// <summary>The node may stop: the master counts on nothing that it holds.</summary>
    public sealed record Left : WorkerEffect;

    /// <summary>Deletes the objects of an attempt that lost.</summary>
    public sealed record Remove(AttemptKey Attempt, string Prefix) : WorkerEffect;
}
