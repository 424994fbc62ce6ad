using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Logging;
using Verdict = Hexcast.Contracts.V1.ReportStatusResponse.Types.Verdict;

namespace Hexcast.Worker;

/// <summary>The two ways to the master: the stream, and reports.</summary>
internal sealed class MasterLink(
    Scheduler.SchedulerClient master, IRoleRoutes routes, TimeProvider clock, ILogger<MasterLink> log)
{
    private readonly ReportBatches reports = new(master, clock);

    /// <summary>Completes when the master may be another one than when this was read.</summary>
    public Task Moved => routes.Moved;

    /// <summary>Ends with what broke the stream; null when the master ended it in order.</summary>
    public Task<Exception?> RunAsync(MasterStream stream, Func<WorkerEvent, ValueTask> post) =>
        stream.RunAsync(master, post);

    /// <summary>Sends a report; the answer, or that there was none.</summary>
    public async Task<WorkerEvent> ReportAsync(ReportStatusRequest request, CancellationToken cancel)
    {
        var attempt = AttemptKey.Of(request.Attempt);
        try
        {
            var verdict = await reports.ReportAsync(request, cancel);
            return verdict == Verdict.Unspecified
                ? new WorkerEvent.ReportFailed(attempt)
                : new WorkerEvent.Answered(attempt, verdict);
        }
        catch (RpcException refused) when (refused.StatusCode is StatusCode.InvalidArgument)
        {
            // The same words would be refused for ever; what was written is nobody's.
            log.LogError(
                "The master refused the report of {Attempt}: {Reason}", attempt, GrpcErrors.Unwrap(refused).Message);
            return new WorkerEvent.Answered(attempt, Verdict.Superseded);
        }
        catch (Exception failure) when (failure is RpcException or IOException)
        {
            cancel.ThrowIfCancellationRequested();
            log.LogWarning("The report of {Attempt} was not answered: {Reason}", attempt, failure.Message);
            return new WorkerEvent.ReportFailed(attempt);
        }
    }
}
