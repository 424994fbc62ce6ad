using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages.Media;

/// <summary>The tasks of a kind, which the graph shows together.</summary>
internal sealed record TaskLane(TaskKind Kind, IReadOnlyList<JobTask> Tasks);

/// <summary>A job's tasks as graph and timeline place them; wwwroot/media/ does it the same way, live.</summary>
internal static class TaskLanes
{
    /// <summary>Within a column, from above.</summary>
    private static readonly TaskKind[] Order =
    [
        TaskKind.Probe, TaskKind.EncodeChunk, TaskKind.EncodeAudio, TaskKind.Poster, TaskKind.Storyboard,
        TaskKind.Subtitles, TaskKind.Publish,
    ];

    /// <summary>A kind stands one to the right of the last task that one of it needs.</summary>
    public static IReadOnlyList<IReadOnlyList<TaskLane>> Columns(IReadOnlyList<JobTask> tasks)
    {
        var byId = tasks.ToDictionary(task => task.TaskId, StringComparer.Ordinal);
        var depths = new Dictionary<string, int>(StringComparer.Ordinal);
        return
        [
            .. tasks.GroupBy(task => task.Kind)
                .Select(kind => (
                    Lane: new TaskLane(kind.Key, [.. kind.OrderBy(task => task.TaskId, StringComparer.Ordinal)]),
                    Column: kind.Max(Depth)))
                .GroupBy(lane => lane.Column, lane => lane.Lane)
                .OrderBy(column => column.Key)
                .Select(column => column.OrderBy(lane => Array.IndexOf(Order, lane.Kind)).ToList()),
        ];

        int Depth(JobTask task)
        {
            if (!depths.TryGetValue(task.TaskId, out var depth))
            {
                // Should tasks ever need each other in a ring, it is cut here.
                depths[task.TaskId] = 0;
                depth = task.Needs.Where(byId.ContainsKey).Select(id => 1 + Depth(byId[id])).DefaultIfEmpty().Max();
                depths[task.TaskId] = depth;
            }

            return depth;
        }
    }

    /// <summary>How many rows the timeline has: of each node as many as it ran tasks at once.</summary>
    public static int TimelineRows(IEnumerable<JobTask> tasks, DateTimeOffset now) => tasks
        .Where(task => task.StartedAt is not null && (task.EndedAt is not null || task.IsActive()))
        .Select(task => (
            task.NodeId, From: task.StartedAt.ToDateTimeOffset(), To: task.EndedAt?.ToDateTimeOffset() ?? now))
        .OrderBy(ran => ran.From)
        .GroupBy(ran => ran.NodeId, StringComparer.Ordinal)
        .Sum(node =>
        {
            var ends = new List<DateTimeOffset>();
            foreach (var (_, from, to) in node)
            {
                var row = ends.FindIndex(end => end <= from);
                if (row < 0)
                {
                    ends.Add(to);
                }
                else
                {
                    ends[row] = to;
                }
            }

            return ends.Count;
        });
}
