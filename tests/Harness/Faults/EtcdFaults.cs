using Hexcast.Contracts.Etcd;

namespace Hexcast.Harness.Faults;

/// <summary>One round of each fault between etcd's members, between a master and them, on one member's disk, and on our
/// nodes' clocks. Each leaves all of them whole; what did not hold is thrown.</summary>
public static class EtcdFaults
{
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan SlowSync = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private const int LeaseSeconds = 4;
    private const int WritesOfAMinority = 3;
    private const int WritesOnASlowDisk = 4;

    /// <summary>The member that leads is heard by no other and hears them, or the other way round, or neither. The
    /// nodes reach all of them.</summary>
    /// <returns>From the moment that the network is whole until every member takes writes again.</returns>
    public static async Task<TimeSpan> CutLeaderAsync(EtcdHosts cluster, bool isHeard, bool hears)
    {
        var (_, leader) = await cluster.BeginAsync();
        var before = await cluster.View(leader).StandingAsync();
        await using var writes = new AcknowledgedWrites(cluster.Views, cluster.NewName());
        foreach (var other in cluster.Others(leader))
        {
            await CutAsync(cluster, leader.Name, other.Name, isHeard, hears);
        }

        await cluster.UntilWritableAsync(cluster.Others(leader).First(), cluster.NewKey());
        await cluster.MasterAsync();
        for (var i = 0; i < WritesOfAMinority && !isHeard && !hears; i++)
        {
            (await cluster.TryPutAsync(leader, cluster.NewKey())).ShouldBeFalse("the minority took a write");
        }

        return await HealAsync(cluster, before, writes, mostChanges: 1);
    }

    /// <summary>The member that leads and another one do not see each other; a third sees both.</summary>
    public static async Task<TimeSpan> CutOneOffLeaderAsync(EtcdHosts cluster)
    {
        var (_, leader) = await cluster.BeginAsync();
        var before = await cluster.View(leader).StandingAsync();
        await using var writes = new AcknowledgedWrites(cluster.Views, cluster.NewName());
        await cluster.Network.CutBothWaysAsync(leader.Name, cluster.Others(leader).First().Name);
        // Longer than it takes the blind one to stand for election.
        await OutlastLeaseAsync(cluster, cluster.Others(leader).Last());
        await cluster.MasterAsync();
        return await HealAsync(cluster, before, writes, mostChanges: 1);
    }

    /// <summary>No member of etcd hears the master, or it hears none of them, or neither; the other nodes see all.
    /// </summary>
    /// <returns>From the cut until another one is the master.</returns>
    public static async Task<TimeSpan> CutMasterAsync(EtcdHosts cluster, bool isHeard, bool hears)
    {
        var (master, leader) = await cluster.BeginAsync();
        var before = await cluster.View(leader).StandingAsync();
        var start = Clock.GetTimestamp();
        foreach (var member in cluster.Members)
        {
            await CutAsync(cluster, master, member.Name, isHeard, hears);
        }

        await cluster.MasterAsync([.. cluster.Others(master)]);
        var without = Clock.GetElapsedTime(start);
        (await cluster.IsMasterAsync(master)).ShouldBeFalse("there are two masters");
        await cluster.Network.HealAsync();
        await HoldsAsync(cluster, before, mostChanges: 1);
        return without;
    }

    /// <summary>The master loses sight of one member after the other, and never of all: it stays the master.</summary>
    public static async Task<TimeSpan> CutMasterFromOneAsync(EtcdHosts cluster)
    {
        var (master, leader) = await cluster.BeginAsync();
        var before = await cluster.View(leader).StandingAsync();
        var start = Clock.GetTimestamp();
        foreach (var member in cluster.Members)
        {
            await cluster.Network.CutBothWaysAsync(master, member.Name);
            await OutlastLeaseAsync(cluster, leader);
            await cluster.Network.HealAsync();
        }

        (await cluster.MasterAsync()).ShouldBe(master);
        await HoldsAsync(cluster, before, mostChanges: 0);
        return Clock.GetElapsedTime(start);
    }

    /// <summary>The disk of the member that leads answers fsync with an error, or has no space: it ends itself, and the
    /// nodes go on with the two others.</summary>
    /// <returns>From the fault until a write is acknowledged by another one.</returns>
    public static async Task<TimeSpan> FailDiskAsync(EtcdHosts cluster, Func<EtcdMember, Task<EtcdDisk>> fault)
    {
        var (_, leader) = await cluster.BeginAsync();
        var before = await cluster.View(leader).StandingAsync();
        await using var writes = new AcknowledgedWrites(cluster.Views, cluster.NewName());
        TimeSpan without;
        await using (await fault(leader))
        {
            var start = Clock.GetTimestamp();
            await Wait.ForAsync(() => Task.FromResult(!leader.IsRunning), EtcdHosts.Limit, () => "it goes on");
            await cluster.UntilWritableAsync(cluster.Others(leader).First(), cluster.NewKey());
            without = Clock.GetElapsedTime(start);
            await cluster.MasterAsync();
        }

        leader.Start();
        await HealAsync(cluster, before, writes, mostChanges: 1);
        return without;
    }

    /// <summary>Each fsync of the member that leads takes half a second more: what is written takes longer, and is
    /// written.</summary>
    /// <returns>The slowest of some writes.</returns>
    public static async Task<TimeSpan> SlowDiskAsync(EtcdHosts cluster)
    {
        var (_, leader) = await cluster.BeginAsync();
        var before = await cluster.View(leader).StandingAsync();
        await using var writes = new AcknowledgedWrites(cluster.Views, cluster.NewName());
        var slowest = TimeSpan.Zero;
        await using (await EtcdDisk.SlowDownAsync(leader, SlowSync))
        {
            for (var i = 0; i < WritesOnASlowDisk; i++)
            {
                var start = Clock.GetTimestamp();
                await cluster.UntilWritableAsync(cluster.Others(leader).First(), cluster.NewKey());
                var took = Clock.GetElapsedTime(start);
                slowest = took > slowest ? took : slowest;
            }
        }

        await HealAsync(cluster, before, writes, mostChanges: 1);
        return slowest;
    }

    /// <summary>The wall clock of the master goes wrong by an hour, and that of another node the other way: nobody is
    /// elected, and no node's lease is lost.</summary>
    /// <returns>How long that was watched.</returns>
    public static async Task<TimeSpan> SetClocksAsync(EtcdHosts cluster, bool isForward)
    {
        var (master, leader) = await cluster.BeginAsync();
        var before = await cluster.View(leader).StandingAsync();
        var start = Clock.GetTimestamp();
        cluster.FaultsOf(master).SetClock(isForward ? Hour : -Hour);
        cluster.FaultsOf(cluster.Others(master).First()).SetClock(isForward ? -Hour : Hour);
        await OutlastLeaseAsync(cluster, leader);
        (await cluster.MasterAsync()).ShouldBe(master);
        var watched = Clock.GetElapsedTime(start);
        var history = await HoldsAsync(cluster, before, mostChanges: 0);
        history.ShouldNotContain(
            one => one.Type == Event.Types.EventType.Delete
                && one.Kv.Key.ToStringUtf8().StartsWith("/hexcast/services/", StringComparison.Ordinal),
            "a node's lease was lost");
        return watched;
    }

    /// <summary>Twice as long as a mastership that nobody renews.</summary>
    private static async Task OutlastLeaseAsync(EtcdHosts cluster, EtcdMember by)
    {
        var key = cluster.NewKey();
        await cluster.View(by).PutLeasedAsync(key, LeaseSeconds);
        await Wait.ForAsync(
            async () => await cluster.View(by).ReadLocallyAsync(key) is null,
            EtcdHosts.Limit, () => "the lease never ended");
    }

    private static async Task CutAsync(EtcdHosts cluster, string one, string other, bool isHeard, bool hears)
    {
        if (!isHeard)
        {
            await cluster.Network.CutAsync(one, other);
        }

        if (!hears)
        {
            await cluster.Network.CutAsync(other, one);
        }
    }

    private static async Task<TimeSpan> HealAsync(
        EtcdHosts cluster, (long Revision, long Fence) before, AcknowledgedWrites writes, int mostChanges)
    {
        await cluster.Network.HealAsync();
        var start = Clock.GetTimestamp();
        foreach (var member in cluster.Members)
        {
            await cluster.UntilWritableAsync(member, cluster.NewKey());
        }

        var healed = Clock.GetElapsedTime(start);
        (await writes.CheckAsync()).ShouldBePositive();
        await HoldsAsync(cluster, before, mostChanges);
        return healed;
    }

    private static async Task<IReadOnlyList<Event>> HoldsAsync(
        EtcdHosts cluster, (long Revision, long Fence) before, int mostChanges)
    {
        await cluster.MasterAsync();
        await cluster.UntilWholeAsync();
        var history = await cluster.View(await cluster.LeaderAsync()).HistoryAsync(before.Revision);
        CoordinatorView.CheckFences(history, before.Fence).ShouldBeLessThanOrEqualTo(mostChanges);
        return history;
    }
}
