using System.Text;
using Hexcast.Coordination.Client;
using Hexcast.Master.Storage;
using Hexcast.Platform.Errors;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Master;

/// <summary>
/// Follows the election key. While it names this node, a <see cref="SchedulerTerm"/> runs under the key's create
/// revision; whatever term ends without being told to is followed by another, from what the coordinator holds.
/// </summary>
internal sealed class Mastership(
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
            await foreach (var batch in coordinator.WatchAsync(CoordinatorClient.ElectionKey, 0, following.Token))
            {
                var elected = FenceIn(batch, fence);
                if (elected == fence)
                {
                    continue;
                }

                await EndAsync(term, running);
                fence = elected;
                term = CancellationTokenSource.CreateLinkedTokenSource(following.Token);
                running = fence > 0 ? ServeOrDieAsync(fence, died, following, term.Token) : Task.CompletedTask;
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

    /// <summary>This node's fence as of the batch; 0: another node is the master, or none.</summary>
    private long FenceIn(WatchBatch batch, long before)
    {
        var latest = batch switch
        {
            WatchBatch.Resync resync => resync.KeyValues.FirstOrDefault(IsElection) is { } found ? Fence(found) : 0,
            WatchBatch.Changes changes => changes.Events.LastOrDefault(e => IsElection(e.KeyValue)) switch
            {
                null => before,
                { Kind: WatchEventKind.Delete } => 0,
                var put => Fence(put.KeyValue),
            },
            _ => before,
        };
        return latest;
    }

    private long Fence(CoordinatorKeyValue key) =>
        key.Value.ToString(Encoding.UTF8) == node.NodeId ? key.CreateRevision : 0;

    private static bool IsElection(CoordinatorKeyValue key) => key.Key == CoordinatorClient.ElectionKey;

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
            var term = new SchedulerTerm(options, fence, new CoordinatorJobStore(coordinator), sweeper, clock, log);
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

            await backoff.WaitAsync(stop);
        }
    }
}
