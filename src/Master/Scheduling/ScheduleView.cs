using Hexcast.Contracts.V1;

namespace Hexcast.Master.Scheduling;

/// <summary>The scheduler as a person may look at it.</summary>
internal static class ScheduleView
{
    private const int JobLimit = 200;

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
            Committed = j.Tasks.Count(t => t.Committed),
        }));
        return view;
    }
}
