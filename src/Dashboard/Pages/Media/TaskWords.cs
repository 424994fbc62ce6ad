using System.Globalization;
using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Media;

/// <summary>What tasks are called, and what their figures say, as wwwroot/media/tasks.js tells them too.</summary>
internal static class TaskWords
{
    public static string Kind(TaskKind kind) => kind switch
    {
        TaskKind.EncodeChunk => "Picture",
        TaskKind.EncodeAudio => "Sound",
        _ => kind.ToString(),
    };

    public static string State(TaskState state) => state switch
    {
        TaskState.Pending => "waiting for others",
        TaskState.Ready => "waiting for a worker",
        TaskState.Assigned => "starting",
        TaskState.Committed => "done",
        _ => StateName(state),
    };

    /// <summary>As the API and the style sheet name it.</summary>
    public static string StateName(TaskState state) => state.ToString().ToLowerInvariant();

    /// <summary>As the API and the style sheet name it.</summary>
    public static string KindName(TaskKind kind) =>
        System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());

    /// <summary>"Part 12" of the task "chunk-0011"; one that is alone of its kind is called by it.</summary>
    public static string Name(JobTask task)
    {
        var dash = task.TaskId.LastIndexOf('-');
        return dash > 0 && int.TryParse(
            task.TaskId.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? string.Create(CultureInfo.InvariantCulture, $"Part {number + 1}")
            : Kind(task.Kind);
    }

    public static string FullName(JobTask task) =>
        Name(task) == Kind(task.Kind) ? Name(task) : $"{Kind(task.Kind)}, {Name(task)}";

    public static bool IsActive(this JobTask task) => task.State is TaskState.Running or TaskState.Assigned;

    /// <summary>Of the last attempt, which may be running; null before the first.</summary>
    public static double? TookSeconds(JobTask task, DateTimeOffset now)
    {
        var end = task.EndedAt?.ToDateTimeOffset() ?? (task.IsActive() ? now : null);
        return task.StartedAt is null || end is null
            ? null
            : Math.Max(0, (end.Value - task.StartedAt.ToDateTimeOffset()).TotalSeconds);
    }

    /// <summary>One line beside a task's name.</summary>
    public static string Summary(JobTask task, DateTimeOffset now) => task switch
    {
        _ when task.IsActive() => Join(Words.Percent(task.Fraction), Speed(task.Speed), task.NodeId),
        { State: TaskState.Committed } when TookSeconds(task, now) is { } took =>
            Join(Words.Duration(took), task.NodeId),
        _ => State(task.State),
    };

    /// <summary>Of one of many: "Part 3: done, 4.0 s · worker-1".</summary>
    public static string PartSummary(JobTask task, DateTimeOffset now)
    {
        var (state, words) = (State(task.State), Summary(task, now));
        return $"{Name(task)}: {state}{(words == state ? "" : $", {words}")}";
    }

    /// <summary>Beside the name of many of a kind.</summary>
    public static string Summary(TaskLane lane) => Join(
        $"{lane.Tasks.Count(task => task.State == TaskState.Committed)} of {lane.Tasks.Count}",
        Speed(lane.Tasks.Where(task => task.State == TaskState.Running).Sum(task => task.Speed)));

    /// <summary>Over the whole graph.</summary>
    public static string Summary(IReadOnlyCollection<JobTask> tasks)
    {
        var done = tasks.Count(task => task.State == TaskState.Committed);
        var running = tasks.Count(IsActive);
        return done == tasks.Count ? $"All {done} tasks are done"
            : $"{done} of {tasks.Count} tasks done{(running > 0 ? $", {running} at work" : "")}";
    }

    /// <summary>What stands in the panel of a chosen task.</summary>
    public static IEnumerable<(string Term, string Text)> Details(JobTask task, DateTimeOffset now) =>
    [
        ("State", task.IsActive()
            ? $"{State(task.State)}, {Words.Percent(task.Fraction)}" : State(task.State)),
        ("Node", task.NodeId.Length > 0 ? task.NodeId : Words.Unknown),
        ("Started", task.StartedAt?.ToDateTimeOffset().ToString("HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
            ?? Words.Unknown),
        ("Took", TookSeconds(task, now) is { } took ? Words.Duration(took) : Words.Unknown),
        ("Speed", task.Speed > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{task.Speed:0.00}× realtime") : Words.Unknown),
        ("Attempts", task.Attempts.ToString(CultureInfo.InvariantCulture)),
        ("Needs", task.Needs.Count switch
        {
            0 => "nothing",
            > 4 => $"{string.Join(", ", task.Needs.Take(3))} and {task.Needs.Count - 3} more",
            _ => string.Join(", ", task.Needs),
        }),
    ];

    private static string Speed(double speed) =>
        speed > 0 ? string.Create(CultureInfo.InvariantCulture, $"{speed:0.0}×") : "";

    private static string Join(params string[] words) => string.Join(" · ", words.Where(word => word.Length > 0));
}
