using Grpc.Core;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker;

/// <summary>
/// Reports on their way to the master. One that comes alone goes at once; those that come while a call is under way
/// wait for its end and go together in the next, but no longer than a moment: a master that never answers holds up
/// only what it was given.
/// </summary>
internal sealed class ReportBatches(Scheduler.SchedulerClient master, TimeProvider clock)
{
    /// <summary>A larger one goes by itself, so that no batch outgrows what gRPC carries.</summary>
    public const int SizeLimitBytes = 4 * 1024;

    public static readonly TimeSpan WaitLimit = TimeSpan.FromMilliseconds(50);

    // The verdict waits for an fsync of the coordinator, seen to take 421 ms on a busy disk.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private List<Pending> waiting = [];
    private Task underWay = Task.CompletedTask;

    private DateTime Deadline => clock.GetUtcNow().Add(AnswerLimit).UtcDateTime;

    /// <summary>Sends a report once, or twice if the master did not judge it among others: alone it is told why.
    /// </summary>
    /// <param name="report">How an attempt ended.</param>
    /// <param name="cancel">That of the first of a batch ends the whole; that of another one its own wait.</param>
    /// <exception cref="RpcException">What the call failed with.</exception>
    public async Task<Verdict> ReportAsync(ReportStatusRequest report, CancellationToken cancel)
    {
        if (report.CalculateSize() > SizeLimitBytes)
        {
            return await AloneAsync(report, cancel);
        }

        var mine = new Pending(report);
        Task? before = null;
        lock (gate)
        {
            waiting.Add(mine);
            if (waiting.Count == 1)
            {
                before = underWay;
            }
        }

        if (before is not null)
        {
            await SendWaitingAsync(before, cancel);
        }

        return await mine.Verdict.Task.WaitAsync(cancel);
    }

    private async Task SendWaitingAsync(Task before, CancellationToken cancel)
    {
        try
        {
            if (!before.IsCompleted)
            {
                await Task.WhenAny(before, Task.Delay(WaitLimit, clock, cancel));
            }
        }
        finally
        {
            // Whatever ends the wait: nobody else sends what has gathered.
            lock (gate)
            {
                underWay = SendAsync(waiting, cancel);
                waiting = [];
            }
        }
    }

    /// <summary>Never throws: each report has its verdict or its failure.</summary>
    private async Task SendAsync(IReadOnlyList<Pending> reports, CancellationToken cancel)
    {
        // Not on the time of whoever holds the gate.
        await Task.Yield();
        await Task.WhenAll(reports.Chunk(ReportBatch.ReportLimit).Select(async batch =>
        {
            var left = batch.Length > 1 ? await TogetherAsync(batch, cancel) : batch;
            await Task.WhenAll(left.Select(report => AloneAsync(report, cancel)));
        }));
    }

    /// <summary>Reports them in one call. Returns those that are to be reported alone: all of them to a master of an
    /// earlier version, which knows no batches.</summary>
    private async Task<IReadOnlyList<Pending>> TogetherAsync(Pending[] batch, CancellationToken cancel)
    {
        try
        {
            var request = new BatchReportStatusRequest { Requests = { batch.Select(report => report.Request) } };
            var answer = await master.BatchReportStatusAsync(request, deadline: Deadline, cancellationToken: cancel);
            List<Pending> left = [];
            foreach (var (index, report) in batch.Index())
            {
                var verdict = answer.Responses.ElementAtOrDefault(index)?.Verdict ?? Verdict.Unspecified;
                if (verdict == Verdict.Unspecified)
                {
                    left.Add(report);
                }
                else
                {
                    report.Verdict.TrySetResult(verdict);
                }
            }

            return left;
        }
        catch (RpcException refused) when (refused.StatusCode is StatusCode.Unimplemented or StatusCode.InvalidArgument)
        {
            return batch;
        }
        catch (Exception failure)
        {
            foreach (var report in batch)
            {
                report.Verdict.TrySetException(failure);
            }

            return [];
        }
    }

    private async Task AloneAsync(Pending report, CancellationToken cancel)
    {
        try
        {
            report.Verdict.TrySetResult(await AloneAsync(report.Request, cancel));
        }
        catch (Exception failure)
        {
            report.Verdict.TrySetException(failure);
        }
    }

    private async Task<Verdict> AloneAsync(ReportStatusRequest report, CancellationToken cancel) =>
        (await master.ReportStatusAsync(report, deadline: Deadline, cancellationToken: cancel)).Verdict;

    private sealed record Pending(ReportStatusRequest Request)
    {
        public TaskCompletionSource<Verdict> Verdict { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
