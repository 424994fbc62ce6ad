using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Tests.Embedded.Log;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>A recovery that ends on its way: nothing starts on what it leaves, and it is done again.</summary>
public sealed class InterruptedRecoveryTests
{
    private const ulong Own = 1;

    private static readonly ByteString Last = ByteString.CopyFromUtf8("/last");

    private static readonly SavedMember[] Three =
    [
        .. Enumerable.Range(1, 3).Select(i => new SavedMember { Id = (ulong)i, Node = $"node-{i}", Address = $"{i}" }),
    ];

    private static readonly Entry[] Entries =
    [
        new Entry(3, 1, EntryKind.Membership, Hexcast.Raft.Members.Of([1, 2, 3]).Encode()),
        .. Three.Select((member, i) => Entry((ulong)i + 2, new Command { MemberPut = member })),
        Entry(5, new Command { Put = new PutRequest { Key = Last, Value = ByteString.CopyFromUtf8("1") } }),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_recovery_that_loses_its_power_at_any_step_is_done_again_to_its_end(bool isDamaged)
    {
        foreach (var leftover in Enum.GetValues<Leftover>())
        {
            var isInterrupted = true;
            for (var step = 1; isInterrupted; step++)
            {
                var disk = Disk(isDamaged);
                disk.PowerFailsAt = disk.Operations + step;
                isInterrupted = Recover(disk);
                var after = disk.AfterPowerLoss(leftover);
                var left = MemberFile.TryLoad(after, out _).ShouldNotBeNull();
                if (left.Id == Own && !left.GoingAlone)
                {
                    var untouched = new CoordinatorRecovery(after, "node-1", isProven: true).Log;
                    untouched.Entry.ShouldBe(isDamaged ? 0 : Entries[^1].Index, "it has not begun");
                    untouched.UnreadableFrom.ShouldBe(isDamaged ? 1ul : 0);
                }
                Recover(after).ShouldBeFalse();
                IsAlone(after, isDamaged);
            }
        }
    }

    [Fact]
    public async Task A_node_does_not_start_on_a_recovery_that_was_interrupted_until_it_is_done_again()
    {
        await using var group = await EmbeddedGroup.StartAsync(members: 1);
        var only = group[0];
        await only.Client.PutAsync("/key", ByteString.CopyFromUtf8("1"), Cancellation);
        await only.StopAsync();
        using (var disk = new FileDisk(only.Folder))
        {
            var record = MemberFile.TryLoad(disk, out _)!;
            record.GoingAlone = true;
            MemberFile.TrySave(disk, record).ShouldBeTrue();
        }
        (await Should.ThrowAsync<CoordinatorDataException>(only.StartAsync)).Message.ShouldContain("Run it again");
        await only.StopAsync();
        using (var recovery = CoordinatorRecovery.Open(only.Folder, only.Node, isProven: false))
        {
            recovery.Log.IsAlone.ShouldBeFalse();
            recovery.GoOnAlone();
        }
        await only.StartAsync();
        (await only.Client.GetAsync("/key", Cancellation))!.Value.ToStringUtf8().ShouldBe("1");
    }

    [Fact]
    public void The_term_that_is_told_is_that_of_the_last_entry_for_members_are_chosen_by_it() =>
        new CoordinatorRecovery(Disk(isDamaged: false), "node-1", isProven: true).Log.Term.ShouldBe(4ul);

    private static Entry Entry(ulong index, Command command) =>
        new(Term: 4, index, EntryKind.Command, command.ToByteArray());

    /// <summary>Of one of three, which has heard of a later term than it has entries of.</summary>
    private static MemoryDisk Disk(bool isDamaged)
    {
        var disk = new MemoryDisk();
        var promised = new HardState(6, Vote: 2);
        var record = new MemberRecord { Id = Own, Group = 7, Founded = true, HardState = promised.ToSaved() };
        record.Members.AddRange(Three);
        MemberFile.TrySave(disk, record).ShouldBeTrue();
        using var log = WriteAheadLog.Open(disk, out _);
        var segment = disk.List().Single(name => Segment.Parse(name) is not null);
        log.SetHardState(promised);
        log.TryFlush().ShouldBeTrue();
        var first = disk.Read(segment).Length;
        foreach (var entry in Entries)
        {
            log.Append(entry);
            log.TryFlush().ShouldBeTrue();
        }
        if (isDamaged)
        {
            // In the first entry: who the members are stands in none that is left.
            var bytes = disk.Read(segment).ToArray();
            bytes[first + RecordHeader.Size] ^= 0x10;
            disk.Overwrite(segment, bytes);
            disk.SyncDirectory();
        }
        return disk;
    }

    /// <summary>As the command does it.</summary>
    /// <returns>Whether the power was lost before its end.</returns>
    private static bool Recover(MemoryDisk disk)
    {
        using var recovery = new CoordinatorRecovery(disk, "node-1", isProven: true);
        try
        {
            if (!recovery.Log.IsAlone)
            {
                recovery.GoOnAlone();
            }
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static void IsAlone(MemoryDisk disk, bool isDamaged)
    {
        var member = MemberFile.TryLoad(disk, out _).ShouldNotBeNull();
        member.Id.ShouldNotBe(Own);
        member.GoingAlone.ShouldBeFalse();
        MemberFile.IsAlone(member).ShouldBeTrue();
        var log = LogReading.Of(disk, mustBeThere: true).Recovered;
        log.Damage.ShouldBeNull();
        GroupOfOne.MembersOf(log).Voters.ShouldBe([member.Id]);
        var store = GroupOfOne.StateOf(log).Store;
        store.Revision.ShouldBeGreaterThan(GroupOfOne.RevisionsAhead);
        (store.Get(Last) is null).ShouldBe(isDamaged);
        foreach (var other in Three.Where(other => other.Id != Own))
        {
            store.Get(ByteString.CopyFromUtf8($"/hexcast/cluster/removed/{other.Node}")).ShouldNotBeNull();
        }
    }
}
