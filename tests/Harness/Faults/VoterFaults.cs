using System.Buffers.Binary;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Harness.Faults;

/// <summary>One round of each fault on the nodes that keep the coordinator. Each leaves all of them whole; what did not
/// hold is thrown.</summary>
public static class VoterFaults
{
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan SlowWrite = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>The most that the limit of etcd's own leases and ticks adds.</summary>
    private static readonly TimeSpan LeaseSlack = TimeSpan.FromSeconds(4);

    private const int LeaseSeconds = 5;
    private const int WritesOfAMinority = 3;
    private const int WritesOnASlowDisk = 4;

    /// <summary>More than a leader has on their way to a member that acknowledges nothing.</summary>
    private const int WritesBeyondAWindow = 300;

    /// <summary>The master is heard by nobody and hears the others, or the other way round, or neither.</summary>
    /// <returns>From the moment that the network is whole until every node takes writes again.</returns>
    public static async Task<TimeSpan> CutMasterAsync(VoterCluster cluster, bool isHeard, bool hears)
    {
        var master = await cluster.BeginAsync();
        var before = await cluster.View(master).StandingAsync();
        foreach (var other in cluster.Others(master))
        {
            if (!isHeard)
            {
                await cluster.Network.CutAsync(master, other);
            }

            if (!hears)
            {
                await cluster.Network.CutAsync(other, master);
            }
        }

        // Served by the others, whoever of them leads.
        await cluster.UntilWritableAsync(cluster.Others(master).First(), cluster.NewKey());
        for (var i = 0; i < WritesOfAMinority && !isHeard && !hears; i++)
        {
            (await cluster.TryPutAsync(master, cluster.NewKey())).ShouldBeFalse("the minority took a write");
        }

        return await HealAsync(cluster, before, mostChanges: 1);
    }

    /// <summary>The master and another one do not see each other; a third sees both.</summary>
    public static async Task<TimeSpan> CutOneOffMasterAsync(VoterCluster cluster)
    {
        var master = await cluster.BeginAsync();
        var before = await cluster.View(master).StandingAsync();
        var blind = cluster.Others(master).First();
        await cluster.Network.CutBothWaysAsync(master, blind);
        for (var i = 0; i < WritesOfAMinority; i++)
        {
            await cluster.UntilWritableAsync(master, cluster.NewKey());
        }

        return await HealAsync(cluster, before, mostChanges: 1);
    }

    /// <summary>The master's disk answers fsync with an error: the process ends, and what it had not synced was
    /// acknowledged to nobody.</summary>
    /// <returns>From the error until the others have a master that writes.</returns>
    public static async Task<TimeSpan> FailSyncAsync(VoterCluster cluster)
    {
        var master = await cluster.BeginAsync();
        var others = cluster.Others(master).ToArray();
        await using var writes = new AcknowledgedWrites([.. cluster.Names.Select(cluster.View)], cluster.NewName());
        cluster.FaultsOf(master).FailSync(cluster.LogOf(master));
        var start = Clock.GetTimestamp();
        await cluster.MasterAsync(others);
        await cluster.UntilWritableAsync(others[0], cluster.NewKey());
        var without = Clock.GetElapsedTime(start);
        (await cluster.Node(master).EndAsync()).ShouldNotBe(0);
        cluster.FaultsOf(master).End();
        await cluster.Node(master).StartAgainAsync();
        await cluster.UntilWholeAsync();
        await writes.CheckAsync();
        return without;
    }

    /// <summary>The master's log finds no space: the others go on, and it follows once there is space.</summary>
    /// <returns>From there being space until it has everything.</returns>
    public static async Task<TimeSpan> FillDiskAsync(VoterCluster cluster)
    {
        var master = await cluster.BeginAsync();
        var others = cluster.Others(master).ToArray();
        await using var writes = new AcknowledgedWrites([.. cluster.Names.Select(cluster.View)], cluster.NewName());
        cluster.FaultsOf(master).FillDisk(cluster.LogOf(master));
        await cluster.MasterAsync(others);
        var key = cluster.NewKey();
        await cluster.UntilWritableAsync(others[0], key);
        var prefix = $"{cluster.NewKey()}/";
        for (var i = 0; i < WritesBeyondAWindow; i++)
        {
            await cluster.View(others[0]).PutAsync($"{prefix}{i}", others[0], VoterCluster.Limit);
        }

        // What is read at it is what was acknowledged, although it is sent nothing more.
        (await cluster.View(master).ReadAsync(prefix)).Count.ShouldBe(WritesBeyondAWindow);
        (await cluster.View(master).ReadLocallyAsync("/hexcast/election/master")).ShouldNotBeNull();
        cluster.FaultsOf(master).End();
        var start = Clock.GetTimestamp();
        await cluster.UntilHasAsync(master, key);
        var behind = Clock.GetElapsedTime(start);
        await cluster.UntilWholeAsync();
        await writes.CheckAsync();
        return behind;
    }

    /// <summary>All logs find no space: nothing is acknowledged, what is there is read, and it resumes by itself.
    /// </summary>
    /// <returns>From there being space until a write is acknowledged.</returns>
    public static async Task<TimeSpan> FillAllDisksAsync(VoterCluster cluster)
    {
        var master = await cluster.BeginAsync();
        var key = cluster.NewKey();
        await cluster.UntilWritableAsync(master, key);
        foreach (var name in cluster.Names)
        {
            cluster.FaultsOf(name).FillDisk(cluster.LogOf(name));
        }

        (await cluster.TryPutAsync(master, cluster.NewKey())).ShouldBeFalse("no disk has it");
        (await cluster.View(master).ReadLocallyAsync(key)).ShouldBe(master);
        foreach (var name in cluster.Names)
        {
            cluster.FaultsOf(name).End();
        }

        var start = Clock.GetTimestamp();
        await cluster.UntilWritableAsync(master, cluster.NewKey());
        var without = Clock.GetElapsedTime(start);
        await cluster.UntilWholeAsync();
        return without;
    }

    /// <summary>The master's disk takes half a second more for a write: it leads no more, and the leadership stays
    /// where it went.</summary>
    /// <returns>Until another one is the master.</returns>
    public static async Task<TimeSpan> SlowDiskAsync(VoterCluster cluster)
    {
        var master = await cluster.BeginAsync();
        var others = cluster.Others(master).ToArray();
        await using var writes = new AcknowledgedWrites([.. others.Select(cluster.View)], cluster.NewName());
        var before = await cluster.View(master).StandingAsync();
        cluster.FaultsOf(master).SlowDisk(cluster.LogOf(master), SlowWrite);
        var start = Clock.GetTimestamp();
        await cluster.MasterAsync(others);
        var took = Clock.GetElapsedTime(start);
        for (var i = 0; i < WritesOnASlowDisk; i++)
        {
            var key = cluster.NewKey();
            await cluster.UntilWritableAsync(others[0], key);
            await cluster.UntilHasAsync(master, key);
        }

        await HoldsAsync(cluster, before, mostChanges: 1);
        cluster.FaultsOf(master).End();
        await cluster.UntilWholeAsync();
        await writes.CheckAsync();
        return took;
    }

    /// <summary>The wall clock of the master goes wrong by an hour, and that of another one the other way: a lease
    /// lasts as long as it says, and nobody is elected.</summary>
    /// <returns>How long the lease lasted.</returns>
    public static async Task<TimeSpan> SetClocksAsync(VoterCluster cluster, bool isForward)
    {
        var master = await cluster.BeginAsync();
        var before = await cluster.View(master).StandingAsync();
        var key = cluster.NewKey();
        await cluster.View(master).PutLeasedAsync(key, LeaseSeconds);
        var start = Clock.GetTimestamp();
        cluster.FaultsOf(master).SetClock(isForward ? Hour : -Hour);
        cluster.FaultsOf(cluster.Others(master).First()).SetClock(isForward ? -Hour : Hour);
        await Wait.ForAsync(
            async () => await cluster.View(master).ReadLocallyAsync(key) is null,
            VoterCluster.Limit, () => "the lease never ended");
        var lasted = Clock.GetElapsedTime(start);
        lasted.TotalSeconds.ShouldBeInRange(LeaseSeconds - 0.5, LeaseSeconds + LeaseSlack.TotalSeconds);
        var history = await HoldsAsync(cluster, before, mostChanges: 0);
        history.ShouldNotContain(
            one => one.Type == Event.Types.EventType.Delete
                && one.Kv.Key.ToStringUtf8().StartsWith("/hexcast/services/", StringComparison.Ordinal),
            "a node's lease was lost");
        foreach (var name in cluster.Names)
        {
            cluster.FaultsOf(name).End();
        }

        await cluster.UntilWholeAsync();
        return lasted;
    }

    /// <summary>Of the last record of a follower's log, which was acknowledged, so many bytes are left: it starts, and
    /// has everything again.</summary>
    public static Task<TimeSpan> TearLogAsync(VoterCluster cluster, int bytes) => HarmLogAsync(
        cluster,
        file =>
        {
            var log = new byte[file.Length];
            file.ReadExactly(log);
            var start = LastRecord(log);
            file.SetLength(start + 1 + (bytes - 1) % (log.Length - start - 1));
        },
        mustTell: "off the coordinator");

    /// <summary>One bit of a follower's log, of what is committed long since, is another one.</summary>
    public static Task<TimeSpan> FlipBitAsync(VoterCluster cluster, Random random) => HarmLogAsync(
        cluster,
        file =>
        {
            // Before the newest records: the last one of all would be taken for one that nobody was told of.
            var bit = random.NextInt64(file.Length / 2 * 8);
            file.Position = bit / 8;
            var value = (byte)(file.ReadByte() ^ (1 << (int)(bit % 8)));
            file.Position = bit / 8;
            file.WriteByte(value);
        },
        mustTell: "log is damaged");

    /// <summary>Where it begins. Each is of 40 bytes, a payload whose length stands at the eighth of them, and one
    /// more.</summary>
    private static int LastRecord(byte[] log)
    {
        var (start, next) = (0, 0);
        while (next < log.Length)
        {
            start = next;
            next += 41 + BinaryPrimitives.ReadInt32LittleEndian(log.AsSpan(start + 8));
        }

        next.ShouldBe(log.Length, "whole records");
        return start;
    }

    private static async Task<TimeSpan> HarmLogAsync(
        VoterCluster cluster, Action<FileStream> harm, string mustTell)
    {
        var master = await cluster.BeginAsync();
        var follower = cluster.Others(master).Last();
        var key = cluster.NewKey();
        await cluster.UntilWritableAsync(master, key);
        await cluster.UntilHasAsync(follower, key);
        await cluster.Node(follower).KillAsync();
        var newest = Directory.GetFiles(cluster.LogOf(follower), "*.wal").Order(StringComparer.Ordinal).Last();
        await using (var file = new FileStream(newest, FileMode.Open, FileAccess.ReadWrite))
        {
            harm(file);
        }

        var told = cluster.Node(follower).Log.Length;
        var start = Clock.GetTimestamp();
        await cluster.Node(follower).StartAgainAsync();
        await cluster.UntilHasAsync(follower, key);
        var took = Clock.GetElapsedTime(start);
        cluster.Node(follower).Log[told..].ShouldContain(mustTell);
        await cluster.UntilWholeAsync();
        return took;
    }

    private static async Task<TimeSpan> HealAsync(
        VoterCluster cluster, (long Revision, long Fence) before, int mostChanges)
    {
        await cluster.Network.HealAsync();
        var start = Clock.GetTimestamp();
        foreach (var name in cluster.Names)
        {
            await cluster.UntilWritableAsync(name, cluster.NewKey());
        }

        var healed = Clock.GetElapsedTime(start);
        await cluster.UntilWholeAsync();
        await HoldsAsync(cluster, before, mostChanges);
        return healed;
    }

    private static async Task<IReadOnlyList<Event>> HoldsAsync(
        VoterCluster cluster, (long Revision, long Fence) before, int mostChanges)
    {
        var history = await cluster.View(await cluster.MasterAsync()).HistoryAsync(before.Revision);
        CoordinatorView.CheckFences(history, before.Fence).ShouldBeLessThanOrEqualTo(mostChanges);
        return history;
    }
}
