using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What waits and what runs, as a person may look at it.</summary>
internal static class QueuesView
{
    private const int JobLimit = 200;

    public static DescribeQueuesResponse Of(SchedulerState state)
    {
        var view = new DescribeQueuesResponse { UnfinishedJobs = state.Unfinished.Count };
        var classes = Dispatcher.AllClasses.ToDictionary(
            name => name, name => new ClassQueue { Class = name }, StringComparer.Ordinal);
        foreach (var job in state.Unfinished.Values)
        {
            if (classes.TryGetValue(job.Record.Class, out var ordered))
            {
                ordered.Jobs++;
            }

            foreach (var task in job.Ready)
            {
                var queue = classes[Dispatcher.EffectiveClass(task)];
                queue.Ready++;
                queue.OldestWaitSeconds = Math.Max(
                    queue.OldestWaitSeconds, (state.Now - task.ReadySince).TotalSeconds);
            }

            foreach (var task in job.Open.Where(t => t.Current > 0))
            {
                classes[Dispatcher.EffectiveClass(task)].Running++;
            }
        }

        view.Classes.Add(Dispatcher.AllClasses.Select(name => classes[name]));
        view.Jobs.Add(state.Unfinished.Values.Take(JobLimit).Select(Describe));
        return view;
    }

    private static QueuedJob Describe(JobRun job) => new()
    {
        JobId = job.Id,
        MediaId = job.Record.MediaId,
        Class = job.Record.Class,
        CreatedAt = Times.Of(job.Record.CreatedAtUnixMs),
        Tasks = job.Tasks.Count,
        Ready = job.Ready.Count,
        Running = job.Open.Count(t => t.Current > 0),
        Committed = job.Tasks.Count(t => t.Committed),
        Retrying = job.Tasks.Count(t => t.RetryAt is not null),
        Ending = !job.Active,
    };
}
