using System.Text;
using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Platform.Hosting;
using Hexcast.Platform.Identity;
using Hexcast.Platform.ObjectStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Discovery;

/// <summary>Another node has this one's name, or runs a role that only one node may run.</summary>
public sealed class NodeTakenException(string message) : NodeFailureException(message);

/// <summary>The coordinator does not let this node in, or lets it do less than it has to.</summary>
public sealed class CoordinatorAccessException(CoordinatorException why)
    : NodeFailureException($"The coordinator does not let this node in. {why.Message}", why);

/// <summary>
/// Says under one lease which roles this node runs and where, for as long as it runs. What only one node may have, its
/// name and the roles that keep their state in its data folder, is claimed in the same transaction by the folder's own
/// id: a node that starts again takes over from its last life, and a stranger is refused.
/// </summary>
public sealed class NodeRegistration(
    CoordinatorClient coordinator,
    NodeSettings node,
    NodeRoles roles,
    TimeProvider clock,
    ILogger<NodeRegistration> log) : BackgroundService
{
    internal static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(10);

    /// <summary>A key below it for each node that has ever registered, until it is removed; its value is the address.
    /// </summary>
    internal const string KnownPrefix = "/hexcast/cluster/nodes/";

    private const string ClaimPrefix = "/hexcast/claims/";
    private const string IdFile = "node.id";

    /// <summary>Roles that keep their state in their node's data folder: one node runs each.</summary>
    public static readonly IReadOnlyList<string> SingleRoles = ["catalog", "upload", "playback", "dashboard"];

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    // A claim whose node is gone ends with its lease.
    private static readonly TimeSpan ClaimPatience = LeaseTime + TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource registered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes once this node has been registered for the first time.</summary>
    public Task Registered => registered.Task;

    private IReadOnlyList<string> Claims =>
        [$"node/{node.NodeId}", .. roles.Names.Intersect(SingleRoles).Select(role => $"role/{role}")];

    /// <returns>The file that a node leaves which has registered; null: none has from this folder.</returns>
    internal static string? WasHere(string dataFolder) =>
        Path.Combine(dataFolder, IdFile) is var path && File.Exists(path) ? path : null;

    /// <summary>The roles start when this node is known to be the only one of its kind.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        await await Task.WhenAny(Registered, ExecuteTask!).WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var self = ByteString.CopyFromUtf8($"{FolderId()} {node.NodeId}");
        var backoff = new Backoff(FirstRetry, LastRetry, clock);
        var taken = 0L;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var lease = await coordinator.GrantLeaseAsync(LeaseTime, stoppingToken);
                if (await RegisterAsync(self, lease.Id, stoppingToken) is { } other)
                {
                    taken = taken == 0 ? clock.GetTimestamp() : taken;
                    if (clock.GetElapsedTime(taken) > ClaimPatience)
                    {
                        throw new NodeTakenException(other);
                    }

                    log.LogWarning("This node is not registered yet: {Reason}", other);
                    await backoff.WaitAsync(stoppingToken);
                    continue;
                }

                taken = 0;
                backoff.Reset();
                registered.TrySetResult();
                using var until = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lease.Lost);
                await Task.Delay(Timeout.InfiniteTimeSpan, clock, until.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!stoppingToken.IsCancellationRequested)
                {
                    log.LogWarning("The lease of this node's registration is over; it registers anew");
                }
            }
            catch (CoordinatorException refused)
                when (CoordinatorErrors.IsOfAccess(refused.Error) && !Registered.IsCompleted)
            {
                throw new CoordinatorAccessException(refused);
            }
            catch (CoordinatorException unanswered)
            {
                log.LogWarning("This node could not be registered: {Reason}", unanswered.Message);
                await backoff.WaitAsync(stoppingToken);
            }
        }
    }

    /// <summary>Null when all is registered; otherwise who has what this node claims, in words.</summary>
    private async Task<string?> RegisterAsync(ByteString self, long lease, CancellationToken stop)
    {
        List<Compare> asSeen = [];
        foreach (var claim in Claims)
        {
            var held = await coordinator.GetAsync(ClaimPrefix + claim, stop);
            if (held is not null && held.Value != self)
            {
                var holder = held.Value.ToString(Encoding.UTF8).Split(' ')[^1];
                return claim.StartsWith("node/", StringComparison.Ordinal)
                    ? $"another node is called {node.NodeId}; give each a name of its own with --node"
                    : $"the node {holder} runs {claim.Split('/')[1]}, which one node may run; "
                        + "leave it out of this one's --target";
            }

            asSeen.Add(Compare.ModRevision(ClaimPrefix + claim).EqualTo(held?.ModRevision ?? 0));
        }

        var won = await coordinator.TxnAsync(
            asSeen,
            [
                .. Claims.Select(claim => Operation.Put(ClaimPrefix + claim, self, lease)),
                .. roles.Names.Select(role => Offer(role, lease)),
                Operation.Put(KnownPrefix + node.NodeId, ByteString.CopyFromUtf8(node.Address)),
            ],
            stop);
        return won.Succeeded ? null : "another node registers at the same time";
    }

    private Operation Offer(string role, long lease)
    {
        var address = new ServiceAddress(role, node.NodeId, node.Address);
        return Operation.Put(address.Key, address.Value, lease);
    }

    // Stays with the data folder, which belongs to one process at a time.
    private string FolderId()
    {
        var path = Path.Combine(node.DataFolder, IdFile);
        if (!File.Exists(path))
        {
            DurableFiles.WriteAllBytes(path, Encoding.UTF8.GetBytes(Convert.ToHexStringLower(IdSource.NewSecret(8))));
        }

        return File.ReadAllText(path).Trim();
    }
}
