using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>The scheduler as a person may look at it.</summary>
internal static class ScheduleView
{
    private const int JobLimit = 200;

    /// <summary>The task, and what each node has to say to it.</summary>
    public static ScheduledTask Of(SchedulerState state, TaskRun task)
    {
        var demand = Demand.Of(task);
        var view = new ScheduledTask
        {
            Task = task.ToMessage(),
            Class = demand.Class,
            Tenant = task.Job.Tenant,
            RemainingPathSeconds = task.Committed ? 0 : state.Speeds.RemainingPathSeconds(task),
            ReadySeconds = task.Job.Ready.Contains(task) ? (state.Now - task.ReadySince).TotalSeconds : 0,
            MemoryBytes = demand.MemoryBytes,
            ScratchBytes = demand.ScratchBytes,
        };
        view.Codecs.Add(demand.EachCodec);
        view.Nodes.Add(state.Workers.Values.Select(worker => new NodeChoice
        {
            NodeId = worker.NodeId,
            Refuses = Placement.WhyNotNow(state, worker, demand) ?? "",
            Score = Placement.Score(state, worker, task.Job),
        }));
        return view;
    }

    public static Schedule Of(SchedulerState state)
    {
        var view = new Schedule { Fence = state.Fence };
        view.Workers.Add(state.Workers.Values.Select(w => new ScheduledWorker
        {
            NodeId = w.NodeId,
            Connected = w.Connected,
            Slots = w.Slots,
            Attempts = { w.Attempts.Keys.Select(a => a.ToMessage()) },
        }));
        view.Unfinished.Add(state.Unfinished.Values.Take(JobLimit).Select(j => new ScheduledJob
        {
            JobId = j.Id,
            MediaId = j.Record.MediaId,
            Class = j.Record.Class,
            Ending = !j.Active,
            Tasks = j.Tasks.Count,
            Ready = j.Ready.Count,
            Committed = j.Tasks.Count - j.Uncommitted,
        }));
        return view;
    }
}
