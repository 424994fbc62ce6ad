using Hexcast.Coordination.Client;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Discovery;

/// <summary>Says under one lease which roles this node runs and where, for as long as it runs.</summary>
internal sealed class NodeRegistration(
    CoordinatorClient coordinator,
    NodeSettings node,
    NodeRoles roles,
    TimeProvider clock,
    ILogger<NodeRegistration> log) : BackgroundService
{
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var lease = await coordinator.GrantLeaseAsync(LeaseTime, stoppingToken);
                await coordinator.TxnAsync(
                    [], [.. roles.Names.Select(role => Offer(role, lease.Id))], stoppingToken);
                backoff.Reset();
                using var until = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lease.Lost);
                await Task.Delay(Timeout.InfiniteTimeSpan, clock, until.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!stoppingToken.IsCancellationRequested)
                {
                    log.LogWarning("The lease of this node's registration is over; it registers anew");
                }
            }
            catch (CoordinatorException unanswered)
            {
                log.LogWarning("This node could not be registered: {Reason}", unanswered.Message);
                await backoff.WaitAsync(stoppingToken);
            }
        }
    }

    private Operation Offer(string role, long lease)
    {
        var address = new ServiceAddress(role, node.NodeId, node.Grpc.ToString());
        return Operation.Put(address.Key, address.Value, lease);
    }
}
