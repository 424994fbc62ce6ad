namespace Hexcast.Master.Scheduling;

/// <summary>What waits and what runs, by the class that it is served in; counted as it changes.</summary>
internal sealed class QueueCounts
{
    private readonly Line[] lines = [.. Dispatcher.AllClasses.Select(_ => new Line())];

    public int Ready(int lane) => lines[lane].Count;

    public int Running(int lane) => lines[lane].Running;

    /// <summary>Unfinished jobs that were ordered in the class.</summary>
    public int Jobs(int lane) => lines[lane].Jobs;

    /// <summary>Of the task that has waited longest; null: none waits.</summary>
    public DateTimeOffset? WaitsSince(int lane) => lines[lane].First?.ReadySince;

    public void Count(JobRun job, int by) => lines[Dispatcher.LaneOf(job)].Jobs += by;

    public void CountRunning(TaskRun task, int by) => lines[Dispatcher.Lane(task)].Running += by;

    /// <summary>The task is ready from now on: nobody in the line waits for a shorter time.</summary>
    public void Join(TaskRun task)
    {
        var line = lines[Dispatcher.Lane(task)];
        task.Ahead = line.Last;
        if (line.Last is { } last)
        {
            last.Behind = task;
        }
        else
        {
            line.First = task;
        }

        line.Last = task;
        line.Count++;
    }

    public void Leave(TaskRun task)
    {
        var line = lines[Dispatcher.Lane(task)];
        if (task.Ahead is { } ahead)
        {
            ahead.Behind = task.Behind;
        }
        else
        {
            line.First = task.Behind;
        }

        if (task.Behind is { } behind)
        {
            behind.Ahead = task.Ahead;
        }
        else
        {
            line.Last = task.Ahead;
        }

        (task.Ahead, task.Behind) = (null, null);
        line.Count--;
    }

    private sealed class Line
    {
        public TaskRun? First { get; set; }

        public TaskRun? Last { get; set; }

        public int Count { get; set; }

        public int Running { get; set; }

        public int Jobs { get; set; }
    }
}
