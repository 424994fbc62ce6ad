using Google.Protobuf.WellKnownTypes;
using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>A task of a job: what is durable of it (<see cref="Record"/>) and where it stands now.</summary>
internal sealed class TaskRun(JobRun job, TaskSpec spec)
{
    private TaskRecord? record;

    public JobRun Job { get; } = job;

    public TaskSpec Spec { get; } = spec;

    public TaskRecord Record
    {
        get => record ??= new() { JobId = Job.Record.JobId, TaskId = Spec.Id };
        set => record = value;
    }

    /// <summary>The attempt that the scheduler counts on; 0 is none.</summary>
    public uint Current
    {
        get;
        set
        {
            if (field > 0 != value > 0)
            {
                Job.CountRunning(this, value > 0 ? 1 : -1);
            }

            field = value;
        }
    }

    /// <summary>The worker has spoken of the current attempt.</summary>
    public bool Running { get; set; }

    public double Fraction { get; set; }

    public double Speed { get; set; }

    /// <summary>After a failure: when the next attempt may start.</summary>
    public DateTimeOffset? RetryAt
    {
        get;
        set
        {
            Job.Retrying += (value is null ? 0 : 1) - (field is null ? 0 : 1);
            field = value;
        }
    }

    /// <summary>Since when it could run; ages it.</summary>
    public DateTimeOffset ReadySince { get; set; }

    /// <summary>Its neighbours in the line of those that are ready, while it is.</summary>
    public TaskRun? Ahead { get; set; }

    public TaskRun? Behind { get; set; }

    public bool Committed => record?.CommittedAttempt > 0;

    /// <summary>The number of the last attempt; 0: there was none, and so there is no record.</summary>
    public uint Attempts => record?.Attempts ?? 0;

    public long CommittedRevision => record?.CommittedRevision ?? 0;

    public TaskState State
    {
        get
        {
            if (Committed)
            {
                return TaskState.Committed;
            }

            if (Job.Record.Ending is { } ending)
            {
                return ending.State == JobState.Failed && HasFailed && Current == 0
                    ? TaskState.Failed
                    : TaskState.Cancelled;
            }

            return Current > 0 ? Running ? TaskState.Running : TaskState.Assigned
                : Job.Ready.Contains(this) ? TaskState.Ready : TaskState.Pending;
        }
    }

    /// <summary>Since the job was started or restarted.</summary>
    private bool HasFailed => Record.Failures > 0 || Record.Losses > AttemptLedger.LossLimit
        || Record.FullDisks >= AttemptLedger.FullDiskLimit;

    public void NoteEnd(DateTimeOffset now) => Record.EndedAtUnixMs = now.ToUnixTimeMilliseconds();

    public OpenAttempt? Open(uint attempt) => Record.Open.FirstOrDefault(o => o.Attempt == attempt);

    public AttemptKey Key(uint attempt) => new(Job.Record.JobId, Spec.Id, attempt);

    public JobTask ToMessage()
    {
        var message = new JobTask
        {
            TaskId = Spec.Id,
            Kind = Spec.Kind,
            State = State,
            Attempt = Committed ? Record.CommittedAttempt : Record.Attempts,
            NodeId = Record.NodeId,
            Fraction = Committed ? 1 : Fraction,
            Speed = Speed,
            LastFailure = Record.LastFailure,
            StartedAt = Times.Of(Record.StartedAtUnixMs),
            EndedAt = Times.Of(Record.EndedAtUnixMs),
            Attempts = Record.Attempts,
        };
        message.Needs.Add(JobGraph.Needs(this));
        return message;
    }

    /// <summary>With little of its last failure: for messages that may name every task.</summary>
    public JobTask ToBriefMessage()
    {
        var message = ToMessage();
        message.LastFailure = message.LastFailure?.Clone();
        Failures.Shorten(message.LastFailure);
        return message;
    }
}

internal static class Times
{
    /// <summary>Null for 0.</summary>
    public static Timestamp? Of(long unixMs) =>
        unixMs == 0 ? null : Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(unixMs));
}

internal readonly record struct AttemptKey(string JobId, string TaskId, uint Attempt)
{
    public static AttemptKey Of(AttemptRef attempt) => new(attempt.JobId, attempt.TaskId, attempt.Attempt);

    public AttemptRef ToMessage() => new() { JobId = JobId, TaskId = TaskId, Attempt = Attempt };

    public override string ToString() => $"{JobId}/{TaskId}#{Attempt}";
}
