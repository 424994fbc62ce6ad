using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Tests.Nodes;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Raft;
using Microsoft.Extensions.Logging;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>Three embedded coordinators as one: real listeners, real disks.</summary>
public sealed class GroupTests
{
    private static readonly CoordinatorLimits SmallLog = new()
    {
        SnapshotEntries = 100,
        Raft = EmbeddedGroup.Raft with { EntriesKeptBehindSnapshot = 10 },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    private static async Task<string?> ReadAsync(GroupMemberServer member, string key) =>
        (await member.Client.GetAsync(key, Cancellation))?.Value.ToStringUtf8();

    private static async Task<DescribeClusterResponse> DescribeAsync(GroupMemberServer member) =>
        await member.Membership.DescribeClusterAsync(new DescribeClusterRequest(), cancellationToken: Cancellation);

    private static GroupMemberServer[] Followers(EmbeddedGroup group, GroupMemberServer leader) =>
        [.. group.Members.Where(member => member != leader)];

    [Fact]
    public async Task What_any_member_takes_every_member_answers()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        foreach (var member in group.Members)
        {
            await member.Client.PutAsync($"/from/{member.Node}", Text(member.Node), Cancellation);
            foreach (var other in group.Members)
            {
                (await ReadAsync(other, $"/from/{member.Node}")).ShouldBe(member.Node, $"asked {other.Node}");
            }
        }
    }

    [Fact]
    public async Task When_the_leader_goes_another_leads_and_nothing_acknowledged_is_missing()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var first = await group.LeaderAsync();
        var fence = (await first.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation))!;
        fence.Value.ToStringUtf8().ShouldBe(first.Node);
        await first.Client.PutAsync("/kept", Text("1"), Cancellation);
        await first.StopAsync();

        var second = await group.LeaderAsync();
        (await ReadAsync(second, "/kept")).ShouldBe("1");
        var next = (await second.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation))!;
        next.Value.ToStringUtf8().ShouldBe(second.Node);
        next.CreateRevision.ShouldBeGreaterThan(fence.CreateRevision);

        await second.Client.PutAsync("/kept", Text("2"), Cancellation);
        await first.StartAsync();
        await EmbeddedGroup.ComesAsync(() => first.Coordinator.Standing.Leader != 0, "the first follows");
        (await ReadAsync(first, "/kept")).ShouldBe("2");
    }

    [Fact]
    public async Task Without_a_majority_nothing_is_written_and_it_goes_on_when_there_is_one()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var others = Followers(group, leader);
        foreach (var other in others)
        {
            await other.StopAsync();
        }
        (await Should.ThrowAsync<CoordinatorException>(() => leader.Client.PutAsync("/key", Text("x"), Cancellation)))
            .Error.ShouldBe(CoordinatorError.Unavailable);
        (await Should.ThrowAsync<CoordinatorException>(() => leader.Client.GetAsync("/key", Cancellation)))
            .Error.ShouldBe(CoordinatorError.Unavailable);

        await others[0].StartAsync();
        await group.LeaderAsync();
        await leader.Client.PutAsync("/key", Text("y"), Cancellation);
        (await ReadAsync(others[0], "/key")).ShouldBe("y");
    }

    [Fact]
    public async Task A_master_that_loses_the_majority_is_none_and_everybody_who_asks_is_told()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        await using var master = new Candidate(leader.Client, leader.Node, CoordinationMode.Embedded);
        var fence = await master.ElectedAsync();
        (await DescribeAsync(leader)).Unanswered.ShouldBeEmpty();
        var others = Followers(group, leader);
        foreach (var other in others)
        {
            await other.StopAsync();
        }

        (await master.NextAsync()).ShouldBe(0);
        var told = await DescribeAsync(leader);
        (told.Leader, told.Members.Count).ShouldBe((0ul, 3));
        told.Unanswered.ShouldContain("no majority of the 3 voters answers");
        await EmbeddedGroup.ComesAsync(
            () => leader.Log.Has(LogLevel.Warning, "No majority of the 3 voters answers this node"), "it is logged");
        (await Should.ThrowAsync<RpcException>(async () =>
            await leader.Membership.TransferLeadershipAsync(new TransferLeadershipRequest())))
            .Status.Detail.ShouldContain("bring voters back");

        await others[0].StartAsync();
        var next = await group.LeaderAsync();
        if (next != leader)
        {
            await next.Membership.TransferLeadershipAsync(new TransferLeadershipRequest { Node = leader.Node });
        }

        (await master.ElectedAsync()).ShouldBeGreaterThan(fence);
        (await DescribeAsync(leader)).Unanswered.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_member_that_was_away_for_long_gets_a_snapshot_and_its_watches_miss_nothing()
    {
        await using var group = await EmbeddedGroup.StartAsync(limits: SmallLog);
        var leader = await group.LeaderAsync();
        var away = Followers(group, leader)[0];
        await away.StopAsync();
        var from = await leader.Client.PutAsync("/counted", Text("0"), Cancellation);
        for (var i = 1; i <= 500; i++)
        {
            await leader.Client.PutAsync("/counted", Text($"{i}"), Cancellation);
        }
        await away.StartAsync();
        (await ReadAsync(away, "/counted")).ShouldBe("500");
        var seen = 0;
        await foreach (var batch in away.Client.WatchAsync("/counted", from, Cancellation))
        {
            foreach (var change in batch.ShouldBeOfType<WatchBatch.Changes>().Events)
            {
                change.KeyValue.Value.ToStringUtf8().ShouldBe($"{seen++}");
            }
            if (seen == 501)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task A_member_whose_log_is_damaged_fetches_it_from_the_others()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var hurt = Followers(group, leader)[0];
        for (var i = 0; i < 50; i++)
        {
            await leader.Client.PutAsync($"/key-{i:d2}", Text($"{i}"), Cancellation);
        }
        (await ReadAsync(hurt, "/key-49")).ShouldBe("49");
        await hurt.StopAsync();
        var segment = Directory.EnumerateFiles(hurt.Folder, "*.wal").Single();
        var bytes = await File.ReadAllBytesAsync(segment, Cancellation);
        bytes[bytes.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(segment, bytes, Cancellation);

        await hurt.StartAsync();
        (await ReadAsync(hurt, "/key-25")).ShouldBe("25");
        // It has all of it on its own disk again: without the leader, it and the other one are enough.
        await leader.StopAsync();
        var next = await group.LeaderAsync();
        (await ReadAsync(next, "/key-49")).ShouldBe("49");
        await hurt.StopAsync();
        await leader.StartAsync();
        await hurt.StartAsync();
        (await ReadAsync(hurt, "/key-25")).ShouldBe("25");
    }

    [Fact]
    public async Task A_member_that_lost_its_disk_comes_back_as_a_new_one_once_the_old_one_is_removed()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        await leader.Client.PutAsync("/key", Text("value"), Cancellation);
        var lost = Followers(group, leader).First(member => member != group[0]);
        await lost.StopAsync();
        Directory.Delete(lost.Folder, recursive: true);
        (await Should.ThrowAsync<CoordinatorDataException>(lost.StartAsync)).Message
            .ShouldContain($"hexcast cluster remove {lost.Node}");
        await lost.StopAsync();

        await leader.Membership.RemoveNodeAsync(
            new RemoveNodeRequest { Node = lost.Node }, cancellationToken: Cancellation);
        await lost.StartAsync();
        await group.AreVotersAsync(3);
        (await ReadAsync(lost, "/key")).ShouldBe("value");
    }

    [Fact]
    public async Task Who_began_the_group_and_lost_its_directory_begins_no_second_one()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        await group[0].Client.PutAsync("/key", Text("value"), Cancellation);
        var first = group[0];
        await first.StopAsync();
        Directory.Delete(first.Folder, recursive: true);
        first.Shared = "there is a sign of others";

        var refused = await Should.ThrowAsync<CoordinatorDataException>(first.StartAsync);
        refused.Message.ShouldContain("there is a sign of others");
        refused.Message.ShouldContain("hexcast cluster remove node-1");
        await first.StopAsync();
        // Nor at the next start.
        await Should.ThrowAsync<CoordinatorDataException>(first.StartAsync);
        await first.StopAsync();
        var next = await group.LeaderAsync();
        (await ReadAsync(next, "/key")).ShouldBe("value");
    }

    [Fact]
    public async Task A_damaged_member_file_is_told_of_in_its_own_words()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        await group[0].StopAsync();
        var file = Path.Combine(group[0].Folder, MemberFile.Name);
        var bytes = await File.ReadAllBytesAsync(file, Cancellation);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Cancellation);

        var refused = await Should.ThrowAsync<CoordinatorDataException>(group[0].StartAsync);
        refused.Message.ShouldStartWith($"{file} is damaged");
        refused.Message.ShouldContain("whom it has voted for");
        refused.Message.ShouldContain("API tokens");
        await group[0].StopAsync();
        File.Delete(file);
        (await Should.ThrowAsync<CoordinatorDataException>(group[0].StartAsync)).Message.ShouldBe(refused.Message);
    }

    [Fact]
    public async Task What_a_member_of_another_group_says_is_not_taken()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var selves = group.Members.Select(member => member.Self).ToList();
        selves.Select(self => self.Group).Distinct().ShouldHaveSingleItem().ShouldNotBe(0ul);
        var leader = await group.LeaderAsync();
        var other = selves.First(self => self.Id != leader.Self.Id);
        foreach (var stranger in (ulong[])[0, other.Group + 2])
        {
            using var call = leader.Raft.Say((other with { Group = stranger }).Headers());
            var refused = await Should.ThrowAsync<RpcException>(async () => await call.ResponseAsync);
            refused.StatusCode.ShouldBe(StatusCode.FailedPrecondition);
            refused.Status.Detail.ShouldContain("of another group");
        }
        // It says the same after a restart.
        var followers = Followers(group, leader);
        await followers[0].StopAsync();
        await followers[0].StartAsync();
        followers[0].Self.Group.ShouldBe(other.Group);
    }

    /// <summary>Asked by itself, or by one of the others: one that takes over and one that does not.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_leader_that_is_removed_hands_over_and_is_gone(int asked)
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        await leader.Client.PutAsync("/key", Text("value"), Cancellation);
        var others = Followers(group, leader);
        GroupMemberServer[] all = [leader, .. others];
        await all[asked].Membership.RemoveNodeAsync(
            new RemoveNodeRequest { Node = leader.Node }, cancellationToken: Cancellation);

        (await others[0].Membership.DescribeClusterAsync(new DescribeClusterRequest(), cancellationToken: Cancellation))
            .Members.Select(member => member.Node).Order().ShouldBe(others.Select(member => member.Node).Order());
        (await ReadAsync(others[1], "/key")).ShouldBe("value");
    }

    [Fact]
    public void Of_the_changes_that_are_refused_only_what_passes_by_itself_is_asked_again()
    {
        foreach (var error in Enum.GetValues<RaftError>())
        {
            Requests.Refusal(error).StatusCode.ShouldBe(
                error == RaftError.ChangeUnderWay ? StatusCode.Aborted : StatusCode.FailedPrecondition, $"{error}");
            Requests.Refusal(error).Status.Detail.ShouldContain(" ", Case.Sensitive, $"{error} has no words");
        }
        Requests.Refusal(RaftError.QuorumAtRisk).Status.Detail.ShouldContain("bring them back first");
    }

    [Fact]
    public async Task Damage_before_the_snapshot_is_repaired_once_and_for_all()
    {
        await using var group = await EmbeddedGroup.StartAsync(limits: SmallLog);
        var leader = await group.LeaderAsync();
        var hurt = Followers(group, leader)[0];
        for (var i = 0; i < 250; i++)
        {
            await leader.Client.PutAsync("/counted", Text($"{i}"), Cancellation);
        }
        (await ReadAsync(hurt, "/counted")).ShouldBe("249");
        await hurt.StopAsync();
        var segment = Directory.EnumerateFiles(hurt.Folder, "*.wal").Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(segment, Cancellation);
        bytes[bytes.Length / 10] ^= 0x10;
        await File.WriteAllBytesAsync(segment, bytes, Cancellation);

        await hurt.StartAsync();
        await leader.Client.PutAsync("/counted", Text("250"), Cancellation);
        (await ReadAsync(hurt, "/counted")).ShouldBe("250");
        await hurt.StopAsync();
        using (var disk = new FileDisk(hurt.Folder))
        using (WriteAheadLog.Open(disk, out var recovered))
        {
            recovered.Damage.ShouldBeNull();
        }
        await hurt.StartAsync();
        (await ReadAsync(hurt, "/counted")).ShouldBe("250");
    }

    [Fact]
    public async Task A_member_whose_log_is_gone_does_not_take_nothing_for_everything()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var bare = Followers(group, leader)[0];
        await leader.Client.PutAsync("/key", Text("value"), Cancellation);
        await bare.StopAsync();
        foreach (var file in Directory.EnumerateFiles(bare.Folder, "*.wal"))
        {
            File.Delete(file);
        }
        await bare.StartAsync();
        (await ReadAsync(bare, "/key")).ShouldBe("value");
    }

    [Fact]
    public async Task The_leadership_goes_where_it_is_sent()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var heir = Followers(group, leader)[0];
        // Asked at a member that does not lead.
        await heir.Membership.TransferLeadershipAsync(
            new TransferLeadershipRequest { Node = heir.Node }, cancellationToken: Cancellation);
        await EmbeddedGroup.ComesAsync(
            () => heir.Coordinator.Standing.Leader == heir.Coordinator.Identity.MemberId, "the heir leads");
        var unknown = await Should.ThrowAsync<RpcException>(async () =>
            await heir.Membership.TransferLeadershipAsync(new TransferLeadershipRequest { Node = "nobody" }));
        unknown.StatusCode.ShouldBe(StatusCode.NotFound);
    }

    [Fact]
    public async Task A_fourth_node_asks_the_three()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var fourth = await group.AddAsync();
        var refused = await Should.ThrowAsync<CoordinatorException>(() => fourth.Client.GetAsync("/key", Cancellation));
        refused.Error.ShouldBe(CoordinatorError.Unavailable);
        refused.Message.ShouldContain("no member");
        // What a person asks it, it passes on.
        (await DescribeAsync(fourth)).Members.Count(member => member.IsVoter).ShouldBe(3);
        var heir = Followers(group, leader).First(member => member != fourth);
        var done = await fourth.Membership.TransferLeadershipAsync(new TransferLeadershipRequest { Node = heir.Node });
        done.Node.ShouldBe(heir.Node);
        await fourth.Membership.RemoveNodeAsync(new RemoveNodeRequest { Node = heir.Node });
        (await DescribeAsync(fourth)).Members.Select(member => member.Node).ShouldNotContain(heir.Node);
    }

    [Fact]
    public async Task A_node_that_was_one_too_many_takes_the_place_of_a_member_that_is_removed()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var spare = await group.AddAsync();
        await leader.Client.PutAsync("/key", Text("value"), Cancellation);
        var (lost, kept) = (Followers(group, leader)[0], Followers(group, leader)[1]);
        await lost.StopAsync();
        await leader.Membership.RemoveNodeAsync(
            new RemoveNodeRequest { Node = lost.Node }, cancellationToken: Cancellation);
        await EmbeddedGroup.ComesAsync(
            () => leader.Coordinator.Standing.Members.Voters.Count == 3, "there are three voters again");

        // It votes: without it there is no majority.
        await kept.StopAsync();
        await spare.Client.PutAsync("/key", Text("new"), Cancellation);
        (await ReadAsync(spare, "/key")).ShouldBe("new");
        // It is a member when it comes back, too.
        await spare.StopAsync();
        await spare.StartAsync();
        (await ReadAsync(spare, "/key")).ShouldBe("new");
    }

    [Fact]
    public async Task A_lease_that_is_kept_alive_at_a_follower_outlives_its_leader()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        var client = Followers(group, leader)[0].Client;
        await using var lease = await client.GrantLeaseAsync(TimeSpan.FromSeconds(4), Cancellation);
        await client.PutAsync("/leased", Text("here"), Cancellation, lease.Id);
        await leader.StopAsync();
        await group.LeaderAsync();
        // Twice its time, and it is there at every look.
        var (clock, start) = (TimeProvider.System, TimeProvider.System.GetTimestamp());
        while (clock.GetElapsedTime(start) < TimeSpan.FromSeconds(8))
        {
            (await client.GetAsync("/leased", Cancellation)).ShouldNotBeNull();
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, Cancellation);
        }
        lease.Lost.IsCancellationRequested.ShouldBeFalse();
    }
}
