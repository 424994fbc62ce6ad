using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Workers;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Identity;

namespace Hexcast.Master;

/// <summary>The scheduler's calls: each is an event for the current term, and its answer.</summary>
internal sealed class SchedulerService(Mastership mastership, IdSource ids, TimeProvider clock)
    : Scheduler.SchedulerBase
{
    private const int NodeIdLimit = 200;
    private const int ClaimLimit = 4_096;
    private const int LabelLimitBytes = 4_096;
    private const int FailureTextLimit = 16 * 1024;

    private static readonly TimeSpan HelloWithin = TimeSpan.FromSeconds(10);
    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint);

    public override async Task StreamHeartbeat(
        IAsyncStreamReader<WorkerMessage> requestStream,
        IServerStreamWriter<MasterMessage> responseStream,
        ServerCallContext context)
    {
        var term = mastership.Current;
        var hello = await HelloAsync(requestStream, context.CancellationToken);
        var stream = await term.OpenWorkerAsync(hello, context.CancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var hearing = HearAsync(term, stream, requestStream, ending.Token);
        try
        {
            await foreach (var message in stream.Outgoing.ReadAllAsync(ending.Token))
            {
                // Nobody else reads them: one that is seen to wait is written next, and flushes this one with it.
                responseStream.WriteOptions = stream.Outgoing.TryPeek(out _) ? MoreFollows : null;
                await responseStream.WriteAsync(message, ending.Token);
            }
        }
        finally
        {
            await term.CloseWorkerAsync(stream);
            await ending.CancelAsync();
            await hearing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (stream.EndReason is { } reason)
        {
            throw new HexcastException(ErrorCodes.Unavailable, reason);
        }
    }

    public override Task<ScheduleTaskResponse> ScheduleTask(ScheduleTaskRequest request, ServerCallContext context)
    {
        var order = OrderRules.Complete(request);
        return Ask<ScheduleTaskResponse>(number => new TaskOrdered(number, ids.NewVersionId(), order), context);
    }

    public override Task<ReportStatusResponse> ReportStatus(ReportStatusRequest request, ServerCallContext context)
    {
        if (request.Attempt is null || request.OutcomeCase == ReportStatusRequest.OutcomeOneofCase.None)
        {
            throw Invalid("A report names an attempt and how it ended.");
        }

        var report = request.Clone();
        if (report.Failure is { } failure)
        {
            failure.Message = Cut(failure.Message);
            failure.LogTail = Cut(failure.LogTail);
        }

        return Ask<ReportStatusResponse>(number => new AttemptReported(number, report), context);
    }

    public override async Task<BatchReportStatusResponse> BatchReportStatus(
        BatchReportStatusRequest request, ServerCallContext context)
    {
        if (request.Requests.Count is 0 or > ReportBatch.ReportLimit)
        {
            throw Invalid($"A batch holds 1 to {ReportBatch.ReportLimit} reports.");
        }

        return new BatchReportStatusResponse
        {
            Responses = { await Task.WhenAll(request.Requests.Select(report => JudgeAsync(report, context))) },
        };
    }

    public override async Task WatchJob(
        WatchJobRequest request, IServerStreamWriter<JobEvent> responseStream, ServerCallContext context)
    {
        var term = mastership.Current;
        var (subscription, events) = await term.OpenWatchAsync(request, context.CancellationToken);
        try
        {
            await foreach (var batch in events.ReadAllAsync(context.CancellationToken))
            {
                foreach (var message in batch)
                {
                    await responseStream.WriteAsync(message, context.CancellationToken);
                }
            }
        }
        finally
        {
            await term.CloseWatchAsync(subscription);
        }
    }

    public override Task<Job> GetJob(GetJobRequest request, ServerCallContext context) =>
        Ask<Job>(number => new JobAsked(number, request.JobId), context);

    public override Task<RetryJobResponse> RetryJob(RetryJobRequest request, ServerCallContext context) =>
        Ask<RetryJobResponse>(number => new RetryOrdered(number, request.JobId), context);

    public override Task<CancelJobResponse> CancelJob(CancelJobRequest request, ServerCallContext context) =>
        Ask<CancelJobResponse>(number => new CancelOrdered(number, request.JobId), context);

    public override Task<ForgetMediaResponse> ForgetMedia(ForgetMediaRequest request, ServerCallContext context) =>
        Ask<ForgetMediaResponse>(number => new ForgetOrdered(number, request.MediaId), context);

    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) =>
        Ask<ListNodesResponse>(number => new NodesAsked(number), context);

    public override Task<DrainResponse> Drain(DrainRequest request, ServerCallContext context) =>
        Ask<DrainResponse>(number => new DrainOrdered(number, request.Clone()), context);

    public override Task<DescribeQueuesResponse> DescribeQueues(
        DescribeQueuesRequest request, ServerCallContext context) =>
        Ask<DescribeQueuesResponse>(number => new QueuesAsked(number), context);

    // What is wrong with one report is no matter of the others; that there is no master here is one of all.
    private async Task<ReportStatusResponse> JudgeAsync(ReportStatusRequest report, ServerCallContext context)
    {
        try
        {
            return await ReportStatus(report, context);
        }
        catch (HexcastException refused) when (refused.Code != ErrorCodes.Unavailable)
        {
            return new ReportStatusResponse();
        }
    }

    private Task<TAnswer> Ask<TAnswer>(Func<long, SchedulerEvent> ask, ServerCallContext context)
        where TAnswer : Google.Protobuf.IMessage =>
        mastership.Current.AskAsync<TAnswer>(ask, context.CancellationToken);

    private async Task<WorkerHello> HelloAsync(IAsyncStreamReader<WorkerMessage> requests, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(HelloWithin, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            if (await requests.MoveNext(either.Token) && requests.Current.Hello is { } hello)
            {
                return hello.NodeId.Length is > 0 and <= NodeIdLimit && hello.Running.Count <= ClaimLimit &&
                    (hello.Labels?.CalculateSize() ?? 0) <= LabelLimitBytes
                    ? hello
                    : throw Invalid(
                        $"A hello names its node, {ClaimLimit} attempts at most, {LabelLimitBytes} bytes of labels.");
            }
        }
        catch (Exception silence)
            when (silence is OperationCanceledException or RpcException && limit.IsCancellationRequested)
        {
            throw new HexcastException(
                ErrorCodes.DeadlineExceeded, $"No hello came within {HelloWithin.TotalSeconds} s.", silence);
        }

        throw Invalid("The first message of a worker is its hello.");
    }

    // Whatever ends the worker's half ends the stream.
    private static async Task HearAsync(
        SchedulerTerm term, WorkerStream stream, IAsyncStreamReader<WorkerMessage> requests, CancellationToken cancel)
    {
        try
        {
            while (await requests.MoveNext(cancel))
            {
                if (requests.Current.Heartbeat is { } heartbeat)
                {
                    await term.HearAsync(stream, heartbeat, cancel);
                }
            }

            stream.End("the worker has ended the stream");
        }
        catch (Exception broken) when (broken is RpcException or IOException or OperationCanceledException
            or HexcastException or InvalidOperationException)
        {
            stream.End("the worker's stream broke");
        }
    }

    private static string Cut(string text) => text.Length <= FailureTextLimit ? text : text[^FailureTextLimit..];

    private static HexcastException Invalid(string words) => new(ErrorCodes.InvalidArgument, words);
}
