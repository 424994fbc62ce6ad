using Hexcast.Coordination.Client;
using Hexcast.Platform.Cluster;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Coordination.Discovery;

/// <summary>Follows the keys of removed nodes, so that each is shut out within moments of its key.</summary>
internal sealed class RemovalFollower(CoordinatorClient coordinator, RemovedNodes removed) : BackgroundService
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

            removed.Replace(names);
        }
    }

    private static string NameIn(string key) => key[RemovedNodes.KeyPrefix.Length..];
}
