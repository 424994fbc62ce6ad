using Hexcast.Coordination.Client;
using Hexcast.Platform.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Discovery;

/// <summary>Follows the keys of removed nodes, so that each is shut out within moments of its key.</summary>
internal sealed class RemovalFollower(
    CoordinatorClient coordinator, RemovedNodes removed, ILogger<RemovalFollower> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var batch in coordinator.WatchAsync(RemovedNodes.KeyPrefix, 0, stoppingToken))
        {
            if (batch is WatchBatch.Resync resync)
            {
                names.Clear();
                names.UnionWith(resync.KeyValues.Select(value => NameIn(value.Key)));
            }
            else if (batch is WatchBatch.Changes changes)
            {
                foreach (var change in changes.Events)
                {
                    if (change.Kind == WatchEventKind.Put)
                    {
                        names.Add(NameIn(change.KeyValue.Key));
                    }
                    else
                    {
                        names.Remove(NameIn(change.KeyValue.Key));
                    }
                }
            }

            try
            {
                removed.Replace(names);
            }
            catch (IOException failed)
            {
                // They are out all the same; only a start without the coordinator would not know of them.
                log.LogWarning("The removed nodes could not be written down: {Reason}", failed.Message);
            }
        }
    }

    private static string NameIn(string key) => key[RemovedNodes.KeyPrefix.Length..];
}
