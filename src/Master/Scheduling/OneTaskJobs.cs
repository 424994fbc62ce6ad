using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;

namespace Hexcast.Master.Scheduling;

/// <summary>Jobs of one task, which others than the catalogue order. They are forgotten some time after their end.
/// </summary>
internal sealed class OneTaskJobs(SchedulerState state, JobLifecycle jobs)
{
    /// <summary>For so long a repeated request is answered with the same job.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);

    /// <summary>Beyond it the oldest go before their time.</summary>
    public const int KeptLimit = 10_000;

    private const int NodesNamed = 8;

    public void Order(TaskOrdered ordered)
    {
        var order = ordered.Order;
        if (state.ByRequest.GetValueOrDefault(order.RequestId) is { } known)
        {
            Answer(ordered.Request, known);
            return;
        }

        var job = new JobRun(new JobRecord
        {
            JobId = ordered.NewJobId,
            MediaId = order.MediaId,
            PresetName = order.PresetName,
            SourceKey = order.SourceKey,
            Class = order.Class,
            Tenant = order.Tenant,
            SourceNode = order.SourceNode,
            Traceparent = order.Traceparent,
            CreatedAtUnixMs = state.Now.ToUnixTimeMilliseconds(),
            State = JobState.Running,
            Only = order.Task,
            RequestId = order.RequestId,
        });
        if (jobs.WhyFull() is { } full)
        {
            state.Emit(new Refuse(ordered.Request, ErrorCodes.ResourceExhausted, full));
            return;
        }

        var demand = Demand.Of(job.Tasks[0]);
        if (!state.IsGathering && state.Present.All(worker => Placement.WhyNever(worker, demand) is not null))
        {
            state.Emit(new Refuse(ordered.Request, ErrorCodes.ResourceExhausted, NoneCould(demand)));
            return;
        }

        jobs.Begin(job);
        Answer(ordered.Request, job);
    }

    public DateTimeOffset? NextToForget() => state.OneTaskEnded.TryPeek(out var job) ? ForgetAt(job) : null;

    public void ForgetOverdue()
    {
        while (state.OneTaskEnded.TryPeek(out var job) &&
            (state.OneTaskEnded.Count > KeptLimit || ForgetAt(job) <= state.Now))
        {
            state.OneTaskEnded.Dequeue();
            if (state.Jobs.GetValueOrDefault(job.Id) == job && job.Ended)
            {
                jobs.ForgetOf(job);
            }
        }
    }

    private string NoneCould(Demand demand) => state.Present.Any()
        ? "No node could ever run it: " + string.Join("; ", state.Present.Take(NodesNamed)
            .Select(worker => $"{worker.NodeId}: {Placement.WhyNever(worker, demand)}")) + "."
        : "No node is there that could run it.";

    private void Answer(long request, JobRun job) => state.Emit(new Answer(
        request, new ScheduleTaskResponse { JobId = job.Id, TaskId = job.Tasks[0].Spec.Id }));

    private static DateTimeOffset ForgetAt(JobRun job) =>
        DateTimeOffset.FromUnixTimeMilliseconds(job.Record.EndedAtUnixMs) + KeptFor;

}
