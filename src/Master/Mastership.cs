using Hexcast.Coordination.Client;
using Hexcast.Coordination.Election;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Master;

/// <summary>
/// Follows the election. While this node is the master, a <see cref="SchedulerTerm"/> runs under its fence; whatever
/// term ends without being told to is followed by another, from what the coordinator holds.
/// </summary>
internal sealed class Mastership(
    MasterElection election,
    CoordinatorClient coordinator,
    MasterOptions options,
    NodeSettings node,
    ObjectSweeper sweeper,
    TimeProvider clock,
    ILogger<Mastership> log) : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    private volatile SchedulerTerm? current;

    /// <exception cref="HexcastException">unavailable: this node is not the master now.</exception>
    public SchedulerTerm Current => current ?? throw new HexcastException(
        ErrorCodes.Unavailable, "This node is not the master now. Ask again.");

    public bool IsMaster => current is not null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (running, fence) = (Task.CompletedTask, 0L);
        CancellationTokenSource? term = null;
        var died = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var following = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        try
        {
            await foreach (var elected in election.FollowAsync(following.Token))
            {
                if (elected == fence)
                {
                    continue;
                }

                await EndAsync(term, running);
                fence = elected;
                term = CancellationTokenSource.CreateLinkedTokenSource(following.Token);
                running = fence > 0 ? ServeOrDieAsync(fence, died, following, term.Token) : Task.CompletedTask;
            }

            // On etcd the election ends without a word when it is told to: what it was told for is not over with it.
            if (died.Task.IsFaulted)
            {
                await died.Task;
            }
        }
        catch (OperationCanceledException) when (died.Task.IsFaulted)
        {
            await died.Task;
        }
        finally
        {
            await EndAsync(term, running);
        }
    }

    private static async Task EndAsync(CancellationTokenSource? term, Task running)
    {
        if (term is not null)
        {
            await term.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            term.Dispose();
        }
    }

    // A node that is the master and serves no term would refuse everybody for ever: its death is this service's.
    private async Task ServeOrDieAsync(
        long fence, TaskCompletionSource died, CancellationTokenSource following, CancellationToken stop)
    {
        try
        {
            await ServeAsync(fence, stop);
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            died.TrySetException(failure);
            await following.CancelAsync();
        }
    }

    private async Task ServeAsync(long fence, CancellationToken stop)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (!stop.IsCancellationRequested)
        {
            var begun = clock.GetTimestamp();
            var term = new SchedulerTerm(
                new SchedulerCore(options, fence, node.NodeId), fence, new CoordinatorJobStore(coordinator), sweeper,
                clock, log);
            current = term;
            try
            {
                var why = await term.RunAsync(stop);
                log.LogWarning("The term with fence {Fence} ended: {Why}", fence, why);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                log.LogError(failure, "The term with fence {Fence} ended", fence);
            }
            finally
            {
                current = null;
            }

            // On etcd one fence lasts for weeks: a term that has served is no failure of those before it.
            if (clock.GetElapsedTime(begun) > LastRetry)
            {
                backoff.Reset();
            }

            await backoff.WaitAsync(stop);
        }
    }
}
