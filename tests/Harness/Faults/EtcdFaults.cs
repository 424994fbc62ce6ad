namespace Hexcast.Harness.Faults;

/// <summary>One round of each fault between a master and etcd's members, and on one member's disk. Each leaves all of
/// them whole; what did not hold is thrown.</summary>
public static class EtcdFaults
{
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan SlowSync = TimeSpan.FromMilliseconds(500);

    private const int WritesOnASlowDisk = 4;

    /// <summary>An etcd keeps a leader whose disk is slow. What it answers takes up to a second and a half then, of the
    /// two seconds of a mastership, so one may run out; but not with every write.</summary>
    private const int ChangesOnASlowDisk = WritesOnASlowDisk - 1;

    /// <summary>No member of etcd hears the master, or it hears none of them, or neither; the other nodes see all. It
    /// takes no order, neither before it knows nor afterwards.</summary>
    /// <returns>From the cut until another one is the master, and from the moment that the network is whole until every
    /// node is registered and may be elected.</returns>
    public static async Task<(TimeSpan Without, TimeSpan Healed)> CutMasterAsync(
        EtcdHosts cluster, bool isHeard, bool hears)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var master = round.Master;
        await cluster.UntilAllStandAsync(round.Leader);
        var start = Clock.GetTimestamp();
        await cluster.CutAsync(master, cluster.Members, isHeard, hears);
        var early = cluster.TryOrderAsync(master);
        await cluster.MasterAsync(cluster.Others(master));
        var without = Clock.GetElapsedTime(start);
        await Wait.ForAsync(
            async () => !await cluster.IsMasterAsync(master), FaultyHosts.Limit, () => "there are two masters");
        (await early).ShouldBeFalse("it took an order that it could tell nobody of");
        (await cluster.TryOrderAsync(master)).ShouldBeFalse("it took an order, and is the master no more");
        await cluster.Network.HealAsync();
        start = Clock.GetTimestamp();
        await cluster.UntilAllStandAsync(round.Leader);
        var healed = Clock.GetElapsedTime(start);
        await round.EndAsync(mostChanges: 1);
        return (without, healed);
    }

    /// <summary>The master loses sight of one member after the other, and never of all: it stays the master.</summary>
    public static async Task<TimeSpan> CutMasterFromOneAsync(EtcdHosts cluster)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var network = cluster.Network;
        var start = Clock.GetTimestamp();
        var lost = 0L;
        foreach (var member in cluster.Members)
        {
            await network.CutBothWaysAsync(round.Master, member);
            await round.OutlastLeaseAsync(round.Leader);
            lost += await network.LostAsync(round.Master, member) + await network.LostAsync(member, round.Master);
            await network.HealAsync();
        }

        // It may speak with one of them only; that one is cut off too.
        lost.ShouldBePositive("the master saw all members all the time");
        (await cluster.MasterAsync()).ShouldBe(round.Master);
        var took = Clock.GetElapsedTime(start);
        await round.EndAsync(mostChanges: 0);
        return took;
    }

    /// <summary>The disk of the member that leads answers fsync with an error, or has no space: it ends itself, and the
    /// nodes go on with the two others.</summary>
    /// <returns>From the fault until a write is acknowledged by another one.</returns>
    public static async Task<TimeSpan> FailDiskAsync(EtcdHosts cluster, Func<EtcdMember, Task<EtcdDisk>> fault)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var leader = cluster.Member(round.Leader);
        TimeSpan without;
        await using (await fault(leader))
        {
            var start = Clock.GetTimestamp();
            await Wait.ForAsync(() => Task.FromResult(!leader.IsRunning), FaultyHosts.Limit, () => "it goes on");
            await cluster.UntilWritableAsync(cluster.Others(leader.Name)[0]);
            without = Clock.GetElapsedTime(start);
            await cluster.MasterAsync();
            // While it is gone: what was written before would be all that the end finds again.
            await round.Writes.GoOnAsync();
        }

        leader.Start();
        await round.EndAsync(mostChanges: 1);
        return without;
    }

    /// <summary>Each fsync of the member that leads takes half a second more: what is written takes longer, and is
    /// written.</summary>
    /// <returns>The slowest of some writes.</returns>
    public static async Task<TimeSpan> SlowDiskAsync(EtcdHosts cluster)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var slowest = TimeSpan.Zero;
        await using (await EtcdDisk.SlowDownAsync(cluster.Member(round.Leader), SlowSync))
        {
            for (var i = 0; i < WritesOnASlowDisk; i++)
            {
                var start = Clock.GetTimestamp();
                await cluster.UntilWritableAsync(cluster.Others(round.Leader)[0]);
                var took = Clock.GetElapsedTime(start);
                slowest = took > slowest ? took : slowest;
            }
        }

        await round.EndAsync(ChangesOnASlowDisk);
        return slowest;
    }
}
