using Hexcast.Contracts.V1;
using Hexcast.Platform.ObjectStore;

namespace Hexcast.Worker;

/// <summary>Names one attempt at one task of one job.</summary>
internal readonly record struct AttemptKey(string JobId, string TaskId, uint Attempt)
{
    public static AttemptKey Of(AttemptRef attempt) => new(attempt.JobId, attempt.TaskId, attempt.Attempt);

    public AttemptRef ToRef() => new() { JobId = JobId, TaskId = TaskId, Attempt = Attempt };

    /// <summary>The name of its scratch folder and in logs.</summary>
    public override string ToString() => $"{JobId}-{TaskId}-{Attempt}";
}

internal static class AttemptPlaces
{
    /// <summary>Where the attempt writes its objects; nobody else does.</summary>
    public static string Prefix(this TaskAssignment task) =>
        ObjectKey.AttemptPrefix(task.MediaId, task.Version, task.Attempt.TaskId, task.Attempt.Attempt);
}
