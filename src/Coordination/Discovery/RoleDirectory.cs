using System.Collections.Immutable;
using System.Text;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Cluster;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;

namespace Hexcast.Coordination.Discovery;

/// <summary>
/// Which node runs what, as the coordinator tells it: a copy that follows by watch. While the coordinator cannot be
/// reached it stays as it was last known.
/// </summary>
internal sealed class RoleDirectory(CoordinatorClient coordinator) : BackgroundService, IKnownNodes
{
    private volatile ImmutableSortedDictionary<string, ServiceAddress> offers =
        ImmutableSortedDictionary.Create<string, ServiceAddress>(StringComparer.Ordinal);

    private volatile string? master;
    private volatile TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next change of what this says.</summary>
    public Task Moved => moved.Task;

    /// <summary>The node that is the master now; null: none is known.</summary>
    public string? Master => master;

    /// <summary>Everything that nodes offer, by role, then by node.</summary>
    public IReadOnlyList<ServiceAddress> All => [.. offers.Values];

    public IReadOnlyList<string> Addresses => [.. offers.Values.Select(offer => offer.Grpc).Distinct()];

    /// <summary>The addresses of a role's nodes in the order of their names.</summary>
    public IReadOnlyList<ServiceAddress> Of(string role) => [.. offers.Values.Where(offer => offer.Role == role)];

    public ServiceAddress? Of(string role, string node) => offers.GetValueOrDefault(ServiceAddress.KeyOf(role, node));

    /// <summary>Whether the node offers anything there.</summary>
    public bool IsAt(string node, string grpc) =>
        offers.Values.Any(offer => offer.Node == node && offer.Grpc == grpc);

    // One that cannot go on ends both, and so the node: half of the truth would be taken for all of it.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] follows = [FollowOffersAsync(both.Token), FollowMasterAsync(both.Token)];
        var ended = await Task.WhenAny(follows);
        await both.CancelAsync();
        await Task.WhenAll(follows).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended;
    }

    private async Task FollowOffersAsync(CancellationToken stop)
    {
        await foreach (var batch in coordinator.WatchAsync(ServiceAddress.Prefix, 0, stop))
        {
            var next = offers.ToBuilder();
            if (batch is WatchBatch.Resync resync)
            {
                next.Clear();
                foreach (var value in resync.KeyValues)
                {
                    Put(value);
                }
            }
            else if (batch is WatchBatch.Changes changes)
            {
                foreach (var change in changes.Events)
                {
                    next.Remove(change.KeyValue.Key);
                    if (change.Kind == WatchEventKind.Put)
                    {
                        Put(change.KeyValue);
                    }
                }
            }

            offers = next.ToImmutable();
            Announce();

            void Put(CoordinatorKeyValue value)
            {
                if (ServiceAddress.From(value.Key, value.Value) is { } offer)
                {
                    next[value.Key] = offer;
                }
            }
        }
    }

    private async Task FollowMasterAsync(CancellationToken stop)
    {
        await foreach (var key in coordinator.WatchKeyAsync(CoordinatorClient.ElectionKey, stop))
        {
            master = key?.Value.ToString(Encoding.UTF8);
            Announce();
        }
    }

    private void Announce() => Interlocked.Exchange(
        ref moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
