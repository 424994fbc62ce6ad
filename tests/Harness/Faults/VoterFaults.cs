using System.Buffers.Binary;

namespace Hexcast.Harness.Faults;

/// <summary>One round of each fault on the disks of nodes that keep the coordinator. Each leaves all of them whole;
/// what did not hold is thrown.</summary>
public static class VoterFaults
{
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan SlowWrite = TimeSpan.FromMilliseconds(500);

    private const int WritesOnASlowDisk = 4;

    /// <summary>More than a leader has on their way to a member that acknowledges nothing.</summary>
    private const int WritesBeyondAWindow = 300;

    /// <summary>The master's disk answers fsync with an error: the process ends, and what it had not synced was
    /// acknowledged to nobody.</summary>
    /// <returns>From the error until the others have a master that writes.</returns>
    public static async Task<TimeSpan> FailSyncAsync(VoterCluster cluster)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var (master, others) = (round.Master, cluster.Others(round.Master));
        cluster.FaultsOf(master).FailSync(cluster.LogOf(master));
        var start = Clock.GetTimestamp();
        await cluster.MasterAsync(others);
        await cluster.UntilWritableAsync(others[0]);
        var without = Clock.GetElapsedTime(start);
        (await cluster.Node(master).EndAsync()).ShouldNotBe(0);
        cluster.FaultsOf(master).End();
        await cluster.Node(master).StartAgainAsync();
        await round.EndAsync(mostChanges: 1);
        return without;
    }

    /// <summary>The master's log finds no space: the others go on, and it follows once there is space.</summary>
    /// <returns>From there being space until it has everything.</returns>
    public static async Task<TimeSpan> FillDiskAsync(VoterCluster cluster)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var (master, others) = (round.Master, cluster.Others(round.Master));
        cluster.FaultsOf(master).FillDisk(cluster.LogOf(master));
        await cluster.MasterAsync(others);
        var prefix = $"{cluster.NewKey()}/";
        var last = $"{prefix}{WritesBeyondAWindow - 1}";
        for (var i = 0; i < WritesBeyondAWindow; i++)
        {
            await cluster.View(others[0]).PutAsync($"{prefix}{i}", others[0], FaultyHosts.Limit);
        }

        // What is read at it is what was acknowledged, although it is sent nothing more.
        (await cluster.View(master).ReadAsync(prefix)).Count.ShouldBe(WritesBeyondAWindow);
        (await cluster.View(master).ReadLocallyAsync("/hexcast/election/master")).ShouldNotBeNull();
        (await cluster.View(master).ReadLocallyAsync(last)).ShouldBeNull("its log has found space");
        cluster.FaultsOf(master).End();
        var start = Clock.GetTimestamp();
        await cluster.UntilHasAsync(master, last);
        var behind = Clock.GetElapsedTime(start);
        await round.EndAsync(mostChanges: 1);
        return behind;
    }

    /// <summary>All logs find no space: nothing is acknowledged by anybody, what is there is read at each, and it
    /// resumes by itself.</summary>
    /// <returns>From there being space until a write is acknowledged.</returns>
    public static async Task<TimeSpan> FillAllDisksAsync(VoterCluster cluster)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var key = cluster.NewKey();
        await cluster.UntilWritableAsync(round.Master, key);
        await round.Writes.GoOnAsync();
        foreach (var name in cluster.Nodes)
        {
            cluster.FaultsOf(name).FillDisk(cluster.LogOf(name));
        }

        var answers = await Task.WhenAll(cluster.Views.Select(view => view.TryPutAsync(cluster.NewKey(), "")));
        answers.ShouldAllBe(wasTaken => !wasTaken, "no disk has it");

        // What was under way when they filled up is over: it had no more time than those.
        var acknowledged = round.Writes.Count;
        foreach (var view in cluster.Views)
        {
            (await view.ReadLocallyAsync(key)).ShouldBe(round.Master);
            (await view.ReadAsync(key)).Keys.ShouldContain(key);
        }

        round.Writes.Count.ShouldBe(acknowledged, "no disk has them");
        await cluster.MendAsync();
        var start = Clock.GetTimestamp();
        await cluster.UntilWritableAsync(round.Master);
        var without = Clock.GetElapsedTime(start);
        await round.Writes.GoOnAsync();
        await round.EndAsync(mostChanges: 1);
        return without;
    }

    /// <summary>The master's disk takes half a second more for a write: it leads no more, and the leadership stays
    /// where it went.</summary>
    /// <returns>Until another one is the master.</returns>
    public static async Task<TimeSpan> SlowDiskAsync(VoterCluster cluster)
    {
        await using var round = await FaultRound.BeginAsync(cluster);
        var (master, others) = (round.Master, cluster.Others(round.Master));
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

        await round.EndAsync(mostChanges: 1);
        return took;
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
        await cluster.ReviveAsync();
        var master = await cluster.MasterAsync();
        var follower = cluster.Others(master)[^1];
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
        await Wait.ForAsync(
            () => Task.FromResult(cluster.Node(follower).Log[told..].Contains(mustTell, StringComparison.Ordinal)),
            FaultyHosts.Limit, () => $"it did not say {mustTell}:\n{cluster.Node(follower).Log[told..]}");
        await cluster.UntilWholeAsync();
        return took;
    }
}
