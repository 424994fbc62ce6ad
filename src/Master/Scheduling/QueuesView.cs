using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>What waits and what runs, as a person may look at it.</summary>
internal static class QueuesView
{
    private const int JobLimit = 200;

    public static DescribeQueuesResponse Of(SchedulerState state)
    {
        var view = new DescribeQueuesResponse { UnfinishedJobs = state.Unfinished.Count };
        view.Classes.Add(Dispatcher.AllClasses.Select((name, lane) => new ClassQueue
        {
            Class = name,
            Jobs = state.Counts.Jobs(lane),
            Ready = state.Counts.Ready(lane),
            Running = state.Counts.Running(lane),
            OldestWaitSeconds = state.Counts.WaitsSince(lane) is { } since ? (state.Now - since).TotalSeconds : 0,
        }));
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
        Running = job.Running,
        Committed = job.Tasks.Count - job.Uncommitted,
        Retrying = job.Retrying,
        Ending = !job.Active,
    };
}
