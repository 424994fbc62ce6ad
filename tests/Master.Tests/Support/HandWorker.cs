using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;

namespace Hexcast.Master.Tests.Support;

/// <summary>A worker that a test moves by hand, over a real stream.</summary>
internal sealed class HandWorker : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly MasterNode master;
    private readonly AsyncDuplexStreamingCall<WorkerMessage, MasterMessage> stream;
    private readonly CancellationTokenSource limit = new(Limit);

    private HandWorker(MasterNode master, string nodeId)
    {
        (this.master, NodeId) = (master, nodeId);
        stream = master.Scheduler.StreamHeartbeat(cancellationToken: limit.Token);
    }

    public string NodeId { get; }

    public long Fence { get; private set; }

    public static Task<HandWorker> JoinAsync(
        MasterNode master, string nodeId, int slots, params IReadOnlyList<AttemptRef> running) =>
        JoinAsync(master, new WorkerHello { NodeId = nodeId, Slots = slots, Running = { running } });

    public static Task<HandWorker> JoinAsync(MasterNode master, string nodeId, int slots, NodeLabels labels) =>
        JoinAsync(master, new WorkerHello { NodeId = nodeId, Slots = slots, Labels = labels });

    private static async Task<HandWorker> JoinAsync(MasterNode master, WorkerHello hello)
    {
        var worker = new HandWorker(master, hello.NodeId);
        await worker.stream.RequestStream.WriteAsync(new WorkerMessage { Hello = hello });
        worker.Fence = (await worker.NextAsync()).Welcome.Fence;
        return worker;
    }

    public async Task<MasterMessage> NextAsync()
    {
        (await stream.ResponseStream.MoveNext(limit.Token)).ShouldBeTrue("the master has ended the stream");
        return stream.ResponseStream.Current;
    }

    /// <summary>The next that is about work.</summary>
    public async Task<TaskAssignment> TakeAsync() => (await NextButSyncAsync()).Assign.ShouldNotBeNull();

    public async Task<MasterMessage> NextButSyncAsync()
    {
        while (true)
        {
            if (await NextAsync() is { Snapshot: null, Sync: null } message)
            {
                return message;
            }
        }
    }

    public async Task<ReportStatusResponse.Types.Verdict> CommitAsync(TaskAssignment task, PlanSummary? plan = null) =>
        (await master.Scheduler.ReportStatusAsync(Report(task, plan), cancellationToken: limit.Token)).Verdict;

    /// <summary>That it is done.</summary>
    public ReportStatusRequest Report(TaskAssignment task, PlanSummary? plan = null)
    {
        var commit = new TaskCommit { Plan = plan, MediaSeconds = 4, WallSeconds = 1 };
        if (task.Attempt.TaskId != JobGraph.PublishId)
        {
            commit.Result = new ObjectRef { Key = $"{task.Attempt.TaskId}/index.json" };
        }

        return new ReportStatusRequest { NodeId = NodeId, Attempt = task.Attempt, Fence = Fence, Commit = commit };
    }

    public async Task<ReportStatusResponse.Types.Verdict> FailAsync(AttemptRef attempt, string code, bool permanent) =>
        (await master.Scheduler.ReportStatusAsync(
            new ReportStatusRequest
            {
                NodeId = NodeId,
                Attempt = attempt,
                Fence = Fence,
                Failure = new TaskFailure { Code = code, Message = "in the worker's words", Permanent = permanent },
            },
            cancellationToken: limit.Token)).Verdict;

    /// <summary>Commits whatever it is given until the job has ended.</summary>
    public async Task WorkAsync(PlanSummary plan, string lastTask = JobGraph.PublishId)
    {
        while (true)
        {
            var task = await TakeAsync();
            await CommitAsync(task, task.Probe is null ? null : plan);
            if (task.Attempt.TaskId == lastTask)
            {
                return;
            }
        }
    }

    /// <summary>Breaks the stream.</summary>
    public void Dispose()
    {
        limit.Cancel();
        stream.Dispose();
        limit.Dispose();
    }
}
