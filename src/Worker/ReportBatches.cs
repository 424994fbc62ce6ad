using Grpc.Core;
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
    /// <summary>As many as a master takes.</summary>
    public const int ReportLimit = 256;

    /// <summary>A larger one goes by itself, so that no batch outgrows what gRPC carries.</summary>
    public const int SizeLimitBytes = 4 * 1024;

    public static readonly TimeSpan WaitLimit = TimeSpan.FromMilliseconds(50);

    // The verdict waits for an fsync of the coordinator, seen to take 421 ms on a busy disk.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private List<Pending> waiting = [];
    private volatile Task underWay = Task.CompletedTask;

    private DateTime Deadline => clock.GetUtcNow().Add(AnswerLimit).UtcDateTime;

    /// <summary>Sends a report once.</summary>
    /// <param name="report">How an attempt ended.</param>
    /// <param name="cancel">Ends whatever it went with, too.</param>
    /// <exception cref="RpcException">What the call failed with; a report that the master could not judge among others
    /// was made again alone.</exception>
    public async Task<Verdict> ReportAsync(ReportStatusRequest report, CancellationToken cancel)
    {
        if (report.CalculateSize() > SizeLimitBytes)
        {
            return await AloneAsync(report, cancel);
        }

        var mine = new Pending(report);
        bool isFirst;
        lock (gate)
        {
            waiting.Add(mine);
            isFirst = waiting.Count == 1;
        }

        if (isFirst)
        {
            await SendWaitingAsync(cancel);
        }

        return await mine.Verdict.Task.WaitAsync(cancel);
    }

    private async Task SendWaitingAsync(CancellationToken cancel)
    {
        if (underWay is { IsCompleted: false } before)
        {
            await Task.WhenAny(before, Task.Delay(WaitLimit, clock, cancel));
        }

        List<Pending> together;
        lock (gate)
        {
            (together, waiting) = (waiting, []);
        }

        underWay = Task.WhenAll(together.Chunk(ReportLimit).Select(batch => SendAsync(batch, cancel)));
    }

    private async Task SendAsync(Pending[] batch, CancellationToken cancel)
    {
        IReadOnlyList<Pending> left = batch;
        if (batch.Length > 1)
        {
            left = await TogetherAsync(batch, cancel);
        }

        await Task.WhenAll(left.Select(async report =>
        {
            try
            {
                report.Verdict.TrySetResult(await AloneAsync(report.Request, cancel));
            }
            catch (Exception failure)
            {
                report.Verdict.TrySetException(failure);
            }
        }));
    }

    /// <summary>Those that are to be reported alone: a master of an earlier version knows no batches, and one that
    /// takes exception to a report says why only to that.</summary>
    private async Task<IReadOnlyList<Pending>> TogetherAsync(Pending[] batch, CancellationToken cancel)
    {
        try
        {
            var request = new BatchReportStatusRequest { Requests = { batch.Select(report => report.Request) } };
            var answer = await master.BatchReportStatusAsync(request, deadline: Deadline, cancellationToken: cancel);
            List<Pending> left = [];
            foreach (var (report, index) in batch.Select((report, index) => (report, index)))
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

    private async Task<Verdict> AloneAsync(ReportStatusRequest report, CancellationToken cancel) =>
        (await master.ReportStatusAsync(report, deadline: Deadline, cancellationToken: cancel)).Verdict;

    private sealed record Pending(ReportStatusRequest Request)
    {
        public TaskCompletionSource<Verdict> Verdict { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
