using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Media;

/// <summary>A media, and of its job and its version what those who keep them could tell in time.</summary>
public sealed record MediaView
{
    public required MediaRecord Media { get; init; }

    public string? Poster { get; init; }

    /// <summary>Null: there is none yet or any more, or the master does not answer.</summary>
    public Job? Job { get; init; }

    /// <summary>The highest first; null: not known.</summary>
    public IReadOnlyList<RenditionView>? Renditions { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>What one came for when it failed.</summary>
    public JobTask? FailedTask => Job?.Tasks.FirstOrDefault(task => task.State == TaskState.Failed);

    /// <summary>Why the media failed, with the last lines of the tool's log where the job has them.</summary>
    public TaskFailure? Failure => Media.Error is not { } error ? null : new TaskFailure
    {
        Code = error.Code,
        Message = error.Message,
        LogTail = Job?.Failure is { } told && told.Code == error.Code && told.Message == error.Message
            ? told.LogTail : "",
    };
}
