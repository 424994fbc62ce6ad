using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Tests.Servers;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>Members that are started again at another address.</summary>
public sealed class MovedMemberTests
{
    /// <summary>A fourth one only learns: four voters would survive no more than three.</summary>
    private static readonly CoordinatorLimits FiveVoters = new() { Voters = 5, Raft = EmbeddedGroup.Raft };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Task WriteAsync(GroupMemberServer member, string value) =>
        member.Client.PutAsync("/key", ByteString.CopyFromUtf8(value), Cancellation);

    private static async Task<string?> ReadAsync(GroupMemberServer member) =>
        (await member.Client.GetAsync("/key", Cancellation))?.Value.ToStringUtf8();

    private static Task FollowsAsync(GroupMemberServer member, GroupMemberServer leader) => EmbeddedGroup.ComesAsync(
        () => member.Coordinator.Standing.Leader == leader.Self.Id, $"{member.Node} hears {leader.Node}");

    /// <summary>All who are there know where it is, as any of them may lead next.</summary>
    private static Task AreToldAsync(EmbeddedGroup group, GroupMemberServer moved) => EmbeddedGroup.ComesAsync(
        () => group.Members.Where(member => member.IsUp).All(member => member.Coordinator.Standing.Known
            .Any(known => known.Id == moved.Self.Id && known.Address == moved.Address)),
        $"all know where {moved.Node} is");

    [Fact]
    public async Task A_learner_at_another_address_is_found_and_the_next_leader_finds_it_too()
    {
        await using var group = await EmbeddedGroup.StartAsync(limits: FiveVoters);
        var leader = await group.LeaderAsync();
        var learner = await group.AddAsync();
        await FollowsAsync(learner, leader);
        leader.Coordinator.Standing.Members.IsLearner(learner.Self.Id).ShouldBeTrue();
        await learner.StopAsync();
        await WriteAsync(leader, "while it was away");

        learner.Move();
        await learner.StartAsync();
        await FollowsAsync(learner, leader);
        (await ReadAsync(learner)).ShouldBe("while it was away");
        await AreToldAsync(group, learner);

        await leader.StopAsync();
        await FollowsAsync(learner, await group.LeaderAsync());
    }

    [Fact]
    public async Task A_voter_at_another_address_is_found_and_so_is_one_that_may_not_vote_yet()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var moved = group.Members.First(member => member != leader);
        for (var i = 0; i < 50; i++)
        {
            await WriteAsync(leader, $"{i}");
        }
        await moved.StopAsync();
        moved.Move();
        await moved.StartAsync();
        await FollowsAsync(moved, leader);
        await AreToldAsync(group, moved);
        (await ReadAsync(moved)).ShouldBe("49");

        // It fetches what its disk has lost, and stands for nothing until it has it.
        await moved.StopAsync();
        var segment = Directory.EnumerateFiles(moved.Folder, "*.wal").Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(segment, Cancellation);
        bytes[bytes.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(segment, bytes, Cancellation);
        moved.Move();
        await moved.StartAsync();
        await FollowsAsync(moved, leader);
        moved.Log.Has(LogLevel.Error, "does not vote before it has it").ShouldBeTrue();
        await AreToldAsync(group, moved);
        (await ReadAsync(moved)).ShouldBe("49");
    }

    [Fact]
    public async Task Several_that_have_moved_at_once_find_each_other_where_one_is_said_to_be()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        await WriteAsync(group[0], "kept");
        foreach (var member in group.Members)
        {
            await member.StopAsync();
        }
        group[0].Move();
        group[1].Move(group[0].Address);
        await group[0].StartAsync();
        await EmbeddedGroup.ComesAsync(
            () => group[0].Log.Has(LogLevel.Warning, "Coordination:Join says where one of them is"), "it says so");

        await group[1].StartAsync();
        var leader = await group.LeaderAsync();
        await EmbeddedGroup.ComesAsync(
            () => group.Members.Where(member => member.IsUp)
                .All(member => member.Coordinator.Standing.Leader == leader.Self.Id),
            "both follow it");
        (await ReadAsync(group[0])).ShouldBe("kept");
    }

    [Fact]
    public async Task Who_was_removed_while_it_was_away_is_told_so_and_gets_no_place_by_asking()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var removed = group.Members.First(member => member != leader);
        await removed.StopAsync();
        await leader.Membership.RemoveNodeAsync(
            new RemoveNodeRequest { Node = removed.Node }, cancellationToken: Cancellation);

        removed.Move();
        await removed.StartAsync();
        await EmbeddedGroup.ComesAsync(
            () => removed.Log.Has(LogLevel.Warning, $"counts {removed.Node} among its members no more"), "it is told");
        leader.Coordinator.Standing.Members.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_address_that_none_can_be_is_not_let_into_the_log()
    {
        await using var group = await EmbeddedGroup.StartAsync(1);
        foreach (var address in (string[])["", "no address", "10.0.0.1:81234", new string('a', 256)])
        {
            var request = new JoinGroupRequest { Id = 7, Node = "node-7", Address = address, MayLead = true };
            (await Should.ThrowAsync<RpcException>(async () => await group[0].Membership.JoinGroupAsync(request)))
                .StatusCode.ShouldBe(StatusCode.InvalidArgument, address);
        }
        group[0].Coordinator.Standing.Members.Count.ShouldBe(1);
    }
}
