using System.Threading.Channels;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Election;
using Hexcast.Platform.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hexcast.Coordination.Tests.Nodes;

/// <summary>A node that stands for the mastership; what it learns is kept until it is looked at.</summary>
internal sealed class Candidate : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource stop = new();
    private readonly Channel<long> fences = Channel.CreateUnbounded<long>();
    private readonly Task following;

    public Candidate(
        CoordinatorClient client, string name, CoordinationMode mode = CoordinationMode.Etcd)
    {
        var election = new MasterElection(
            client, new CoordinationOptions { Mode = mode },
            new NodeSettings { DataFolder = "/", NodeId = name }, TimeProvider.System,
            NullLogger<MasterElection>.Instance);
        following = FollowAsync(election);
    }

    public async Task<long> NextAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        return await fences.Reader.ReadAsync(limit.Token);
    }

    public async Task<long> ElectedAsync()
    {
        long fence;
        do
        {
            fence = await NextAsync();
        }
        while (fence == 0);
        return fence;
    }

    /// <summary>What it has learned and nobody has looked at.</summary>
    public IEnumerable<long> Unseen()
    {
        while (fences.Reader.TryRead(out var fence))
        {
            yield return fence;
        }
    }

    public async Task LeaveAsync()
    {
        await stop.CancelAsync();
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        stop.Dispose();
    }

    private async Task FollowAsync(MasterElection election)
    {
        await foreach (var fence in election.FollowAsync(stop.Token))
        {
            await fences.Writer.WriteAsync(fence);
        }
    }
}
