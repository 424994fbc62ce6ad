using Hexcast.Coordination.Client;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Discovery;

/// <summary>
/// The master's node has etcd forget old revisions, which it keeps for ever otherwise, and then takes no more writes.
/// </summary>
internal sealed class HistoryCompaction(
    CoordinatorClient coordinator,
    RoleDirectory directory,
    NodeSettings node,
    CoordinationOptions options,
    TimeProvider clock,
    ILogger<HistoryCompaction> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (directory.Master == node.NodeId)
            {
                await CompactAsync(stoppingToken);
            }
        }
    }

    internal async Task CompactAsync(CancellationToken stop)
    {
        try
        {
            var now = await coordinator.RangeAsync(CoordinatorClient.ElectionKey, stop);
            if (now.Revision > options.HistoryRevisions)
            {
                await coordinator.CompactAsync(now.Revision - options.HistoryRevisions, stop);
            }
        }
        catch (CoordinatorException failed) when (failed.Error != CoordinatorError.Compacted)
        {
            log.LogWarning("etcd's history could not be compacted: {Reason}", failed.Message);
        }
        catch (CoordinatorException)
        {
            // Nothing was written since the last time.
        }
    }
}
