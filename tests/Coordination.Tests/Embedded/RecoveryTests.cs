using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>One member goes on alone: what its log says then, and what is left of the old group can do about it.
/// </summary>
public sealed class RecoveryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    private static SavedMember Member(ulong id) => new() { Id = id, Node = $"node-{id}", Address = $"127.0.0.1:{id}" };

    private static Entry Entry(ulong term, ulong index, Command command) =>
        new(term, index, EntryKind.Command, command.ToByteArray());

    [Fact]
    public void All_of_the_log_counts_and_nobody_of_the_old_group_stays()
    {
        var log = new RecoveredLog(
            new HardState(4, 1, Recovering: false), Snapshot: null,
            [
                new Entry(3, 1, EntryKind.Membership, Hexcast.Raft.Members.Of([1, 2, 3]).Encode()),
                Entry(3, 2, new Command { MemberPut = Member(1) }),
                Entry(3, 3, new Command { MemberPut = Member(2) }),
                Entry(3, 4, new Command { MemberPut = Member(3) }),
                // Perhaps no majority has it; perhaps one has.
                Entry(4, 5, new Command { Put = new PutRequest { Key = Text("/last"), Value = Text("1") } }),
            ],
            TornBytes: 0);
        var member = new MemberRecord
        {
            Id = 1, Group = 7, HardState = new SavedHardState { Term = 6, Vote = 2, Recovering = true },
        };
        var alone = GroupOfOne.Of(log, member, id: 9, group: 11, shutOut: ["node-2"]);

        alone.Member.ShouldBe(new MemberRecord
        {
            Id = 9, Group = 11, Founded = true, HardState = new SavedHardState { Term = 7, Vote = 9 },
        });
        MemberFile.IsAlone(alone.Member).ShouldBeTrue();
        alone.HardState.ShouldBe(new HardState(7, 9, Recovering: false));
        (alone.Snapshot.Mark.Index, alone.Snapshot.Mark.Term).ShouldBe((6ul, 7ul));
        alone.Snapshot.Mark.Members.Voters.ShouldBe([9ul]);
        var state = new StateMachine();
        SnapshotContent.Restore(state, alone.Snapshot.State);
        state.Members.ShouldBeEmpty();
        state.Store.Get(Text("/last"))!.Value.ToStringUtf8().ShouldBe("1");
        state.Store.Get(Text("/hexcast/cluster/removed/node-2")).ShouldNotBeNull();
        // No revision of the old group comes again.
        state.Store.Revision.ShouldBeGreaterThan(GroupOfOne.StateOf(log).Store.Revision + 1_000_000);
        state.Store.CompactedRevision.ShouldBe(state.Store.Revision);
    }

    [Fact]
    public async Task The_last_of_three_goes_on_alone_and_what_is_left_of_the_others_does_not_disturb_it()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var kept = group.Members.Last(member => member != leader);
        var gone = group.Members.Where(member => member != kept).ToList();
        for (var i = 0; i < 30; i++)
        {
            await gone[i % 2].Client.PutAsync($"/key/{i:d2}", Text($"{i}"), Cancellation);
        }
        (await kept.Client.RangeAsync("/key/", Cancellation)).KeyValues.Count.ShouldBe(30);
        var fence = (await kept.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation))!.CreateRevision;
        await Task.WhenAll(group.Members.Select(member => member.StopAsync()));

        using (var recovery = CoordinatorRecovery.Open(kept.Folder, kept.Node, isProven: false))
        {
            recovery.Log.Others.ShouldBe(gone.Select(member => member.Node).Order());
            recovery.Log.Entry.ShouldBeGreaterThan(30ul);
            recovery.Log.IsAlone.ShouldBeFalse();
            recovery.GoOnAlone();
        }
        using (var again = CoordinatorRecovery.Open(kept.Folder, kept.Node, isProven: false))
        {
            again.Log.IsAlone.ShouldBeTrue();
            again.Log.Others.ShouldBeEmpty();
        }
        await kept.StartAsync();
        (await kept.Client.RangeAsync("/key/", Cancellation)).KeyValues.Select(key => key.Value.ToStringUtf8())
            .ShouldBe(Enumerable.Range(0, 30).Select(i => $"{i}"));
        var election = (await kept.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation))!;
        election.Value.ToStringUtf8().ShouldBe(kept.Node);
        election.CreateRevision.ShouldBeGreaterThan(fence);
        await kept.Client.PutAsync("/after", Text("kept"), Cancellation);

        // They were not lost after all, are a majority of the old group, and know where this member was.
        var term = kept.Coordinator.Standing.Term;
        await Task.WhenAll(gone.Select(member => member.StartAsync()));
        await EmbeddedGroup.ComesAsync(
            () => gone.All(member => member.Coordinator.Standing.Leader != 0), "the old group has a leader");
        await gone[0].Client.PutAsync("/after", Text("gone"), Cancellation);
        using var call = kept.Raft.Say(gone[1].Self.Headers());
        (await Should.ThrowAsync<RpcException>(async () => await call.ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.FailedPrecondition);
        (await kept.Client.GetAsync("/after", Cancellation))!.Value.ToStringUtf8().ShouldBe("kept");
        kept.Coordinator.Standing.Term.ShouldBe(term);
        kept.Coordinator.Standing.Members.Voters.ShouldBe([kept.Self.Id]);
        await Task.WhenAll(gone.Select(member => member.StopAsync()));

        // It is the whole of its log when it starts again; and it is joined.
        await kept.StopAsync();
        await kept.StartAsync();
        var (fresh, more) = (await group.AddAsync(kept), await group.AddAsync(kept));
        await group.AreVotersAsync(3);
        fresh.Self.Group.ShouldBe(kept.Self.Group);
        (await more.Client.GetAsync("/after", Cancellation))!.Value.ToStringUtf8().ShouldBe("kept");
    }

    [Fact]
    public async Task A_member_recovers_without_its_member_file_and_from_what_of_its_log_can_be_read()
    {
        await using var group = await EmbeddedGroup.StartAsync(members: 1);
        var only = group[0];
        for (var i = 0; i < 20; i++)
        {
            await only.Client.PutAsync($"/key/{i:d2}", Text($"{i}"), Cancellation);
        }
        await only.StopAsync();
        await File.WriteAllBytesAsync(Path.Combine(only.Folder, MemberFile.Name), [1, 2, 3], Cancellation);
        Recover().UnreadableFrom.ShouldBe(0ul);
        await only.StartAsync();
        (await only.Client.RangeAsync("/key/", Cancellation)).KeyValues.Count.ShouldBe(20);
        for (var i = 20; i < 40; i++)
        {
            await only.Client.PutAsync($"/key/{i:d2}", Text($"{i}"), Cancellation);
        }
        await only.StopAsync();
        var segment = Directory.EnumerateFiles(only.Folder, "*.wal").Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(segment, Cancellation);
        bytes[bytes.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(segment, bytes, Cancellation);
        var left = Recover();
        left.UnreadableFrom.ShouldBe(left.Entry + 1);
        await only.StartAsync();
        (await only.Client.RangeAsync("/key/", Cancellation)).KeyValues.Count.ShouldBeInRange(20, 39);
        await only.Client.PutAsync("/after", Text("1"), Cancellation);

        KeptLog Recover()
        {
            using var recovery = CoordinatorRecovery.Open(only.Folder, only.Node, isProven: false);
            recovery.Log.IsAlone.ShouldBeFalse();
            recovery.GoOnAlone();
            return recovery.Log;
        }
    }
}
