using System.Runtime.CompilerServices;
using System.Text;
using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Discovery;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Election;

/// <summary>
/// Whether this node is the master, and under which fence: the create revision of the election key. On the embedded
/// coordinator whoever leads the log writes the key. On etcd a node stands for it: it writes the key, where there is
/// none, under a lease that it keeps alive.
/// </summary>
public sealed class MasterElection(
    CoordinatorClient coordinator,
    CoordinationOptions options,
    NodeSettings node,
    TimeProvider clock,
    ILogger<MasterElection> log,
    NodeRegistration? registration = null)
{
    /// <summary>etcd 3.4 raises anything shorter to it.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    private readonly ByteString name = ByteString.CopyFromUtf8(node.NodeId);

    /// <summary>
    /// This node's fence after each change that the coordinator tells of; 0: another node is the master, or none, or
    /// this one cannot know any more. The reader has ended what it did under the last fence before it asks for more.
    /// </summary>
    public IAsyncEnumerable<long> FollowAsync(CancellationToken stop) =>
        options.Mode == CoordinationMode.Embedded ? FollowKeyAsync(stop) : StandAsync(stop);

    private async IAsyncEnumerable<long> FollowKeyAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            await foreach (var key in coordinator.WatchKeyOnceAsync(CoordinatorClient.ElectionKey, stop))
            {
                yield return key?.Value == name ? key.CreateRevision : 0;
            }

            // A member that has lost the others ends its watches: another one may be the master, and nobody can say so.
            yield return 0;
            await backoff.WaitAsync(stop);
        }
    }

    private async IAsyncEnumerable<long> StandAsync([EnumeratorCancellation] CancellationToken stop)
    {
        // Two of one name would each take the other's key for that of its own last life.
        await (registration?.Registered.WaitAsync(stop) ?? Task.CompletedTask);
        while (!stop.IsCancellationRequested)
        {
            long? fence = null;
            await using var lease = await GrantAsync(stop);
            using var standing = CancellationTokenSource.CreateLinkedTokenSource(stop, lease.Lost);
            await using var keys = coordinator.WatchKeyAsync(CoordinatorClient.ElectionKey, standing.Token)
                .GetAsyncEnumerator(standing.Token);
            while (await IsNextAsync(keys, standing.Token))
            {
                var key = keys.Current;
                var held = key?.LeaseId == lease.Id ? key.CreateRevision : 0;
                if (held != fence)
                {
                    fence = held;
                    yield return held;
                }

                // A key with another lease is of this node's last life, and would stand until that has run out.
                if (key is null || (key.Value == name && key.LeaseId != lease.Id))
                {
                    await ClaimAsync(key, lease.Id, standing.Token);
                }
            }

            // Before the lease is given back, and so before another node can be elected.
            yield return 0;
            if (!stop.IsCancellationRequested)
            {
                log.LogWarning("The lease {Lease} with which this node stood is over; it stands anew", lease.Id);
            }
        }
    }

    /// <summary>False when the node stops or its lease is lost: it may not act on what the key says then.</summary>
    private static async ValueTask<bool> IsNextAsync(
        IAsyncEnumerator<CoordinatorKeyValue?> keys, CancellationToken standing)
    {
        try
        {
            return !standing.IsCancellationRequested && await keys.MoveNextAsync();
        }
        catch (OperationCanceledException) when (standing.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<CoordinatorLease> GrantAsync(CancellationToken stop)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (true)
        {
            try
            {
                return await coordinator.GrantLeaseAsync(LeaseTime, stop);
            }
            catch (CoordinatorException unanswered)
            {
                log.LogWarning("No lease to stand for the mastership with: {Reason}", unanswered.Message);
                await backoff.WaitAsync(stop);
            }
        }
    }

    // Until there is an answer. Whoever has got the key, the watch tells.
    private async Task ClaimAsync(CoordinatorKeyValue? old, long lease, CancellationToken standing)
    {
        const string key = CoordinatorClient.ElectionKey;
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (!standing.IsCancellationRequested)
        {
            try
            {
                if (old is not null)
                {
                    // Its end is one revision and the new key another: a fence is never used twice.
                    await coordinator.TxnAsync(
                        [Compare.CreateRevision(key).EqualTo(old.CreateRevision)], [Operation.Delete(key)], standing);
                }

                await coordinator.TxnAsync([Compare.Missing(key)], [Operation.Put(key, name, lease)], standing);
                return;
            }
            catch (CoordinatorException unanswered)
            {
                log.LogWarning("The mastership could not be claimed: {Reason}", unanswered.Message);
                await backoff.WaitAsync(standing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
