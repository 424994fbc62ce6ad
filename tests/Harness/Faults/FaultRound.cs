using Hexcast.Contracts.Etcd;

namespace Hexcast.Harness.Faults;

/// <summary>
/// One round of a fault. Writes go on through all of it; when it ends everything is whole again, nothing that was
/// acknowledged is lost, and the mastership has changed hands no more often than it may.
/// </summary>
public sealed class FaultRound : IAsyncDisposable
{
    /// <summary>Twice as long as a mastership on etcd that nobody renews, and as many elections on our own
    /// coordinator: whoever is to stand for it has done so.</summary>
    private const int ElectionSeconds = 4;

    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly FaultyHosts hosts;
    private readonly (long Revision, long Fence) before;

    private FaultRound(FaultyHosts hosts, string master, string leader, (long Revision, long Fence) before)
    {
        (this.hosts, Master, Leader, this.before) = (hosts, master, leader, before);
        Writes = new AcknowledgedWrites(hosts.Views, hosts.NewName());
    }

    /// <summary>The node that was the master when it began.</summary>
    public string Master { get; }

    /// <summary>The member that led the others.</summary>
    public string Leader { get; }

    public AcknowledgedWrites Writes { get; }

    /// <summary>All that happened in it, once it has ended.</summary>
    public IReadOnlyList<Event> History { get; private set; } = [];

    public static async Task<FaultRound> BeginAsync(FaultyHosts hosts)
    {
        await hosts.ReviveAsync();
        var (master, leader) = (await hosts.MasterAsync(), await hosts.LeaderAsync());
        return new FaultRound(hosts, master, leader, await hosts.View(leader).StandingAsync());
    }

    /// <summary>Watches for as long as a lease lasts that nobody renews; it ends no sooner than it says.</summary>
    /// <param name="by">The member that is asked for it.</param>
    /// <param name="meanwhile">Again and again.</param>
    /// <returns>How long that was.</returns>
    public async Task<TimeSpan> OutlastLeaseAsync(
        string by, int seconds = ElectionSeconds, Func<Task>? meanwhile = null)
    {
        var key = hosts.NewKey();
        var start = Clock.GetTimestamp();
        await hosts.View(by).PutLeasedAsync(key, seconds);
        // What it has not got yet would look as if it had ended.
        await hosts.UntilHasAsync(by, key);
        await Wait.ForAsync(
            async () =>
            {
                await (meanwhile?.Invoke() ?? Task.CompletedTask);
                return await hosts.View(by).ReadLocallyAsync(key) is null;
            },
            FaultyHosts.Limit, () => "the lease never ended");
        var lasted = Clock.GetElapsedTime(start);
        lasted.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(seconds), "the lease ended early");
        // Still under the fault: what was written before it would be all that the end finds again.
        await Writes.GoOnAsync();
        return lasted;
    }

    /// <returns>From the moment that the network is whole until every member takes writes.</returns>
    public async Task<TimeSpan> EndAsync(int mostChanges)
    {
        await hosts.MendAsync();
        var start = Clock.GetTimestamp();
        foreach (var member in hosts.Members)
        {
            await hosts.UntilWritableAsync(member);
        }

        var healed = Clock.GetElapsedTime(start);
        (await Writes.CheckAsync()).ShouldBePositive();
        await hosts.UntilWholeAsync();
        hosts.Nodes.ShouldAllBe(node => hosts.Node(node).IsRunning);
        await hosts.MasterAsync();
        History = await hosts.View(Leader).HistoryAsync(before.Revision);
        CoordinatorView.CheckFences(History, before.Fence).ShouldBeLessThanOrEqualTo(mostChanges);
        return healed;
    }

    public ValueTask DisposeAsync() => Writes.DisposeAsync();
}
