using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>Three embedded coordinators as one: real listeners, real disks.</summary>
public sealed class GroupTests
{
    private static readonly CoordinatorLimits SmallLog = new()
    {
        SnapshotEntries = 100,
        Raft = new RaftOptions { EntriesKeptBehindSnapshot = 10 },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    private static async Task<string?> ReadAsync(GroupMemberServer member, string key) =>
        (await member.Client.GetAsync(key, Cancellation))?.Value.ToStringUtf8();

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
    public async Task A_leader_that_is_removed_hands_over_and_is_gone()
    {
        await using var group = await EmbeddedGroup.StartAsync();
        var leader = await group.LeaderAsync();
        await leader.Client.PutAsync("/key", Text("value"), Cancellation);
        await leader.Membership.RemoveNodeAsync(
            new RemoveNodeRequest { Node = leader.Node }, cancellationToken: Cancellation);

        var others = Followers(group, leader);
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
        var fourth = await group.AddAsync();
        var refused = await Should.ThrowAsync<CoordinatorException>(() => fourth.Client.GetAsync("/key", Cancellation));
        refused.Error.ShouldBe(CoordinatorError.Unavailable);
        refused.Message.ShouldContain("no member");
        (await group[0].Membership.DescribeClusterAsync(new DescribeClusterRequest(), cancellationToken: Cancellation))
            .Members.Count(member => member.IsVoter).ShouldBe(3);
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
        await using var lease = await client.GrantLeaseAsync(TimeSpan.FromSeconds(2), Cancellation);
        await client.PutAsync("/leased", Text("here"), Cancellation, lease.Id);
        await leader.StopAsync();
        await group.LeaderAsync();
        // Twice its time, and it is there at every look.
        for (var until = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(until).Seconds < 4;)
        {
            (await client.GetAsync("/leased", Cancellation)).ShouldNotBeNull();
        }
        lease.Lost.IsCancellationRequested.ShouldBeFalse();
    }
}
