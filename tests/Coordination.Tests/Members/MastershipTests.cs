using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Election;
using Hexcast.Coordination.Tests.Nodes;
using Hexcast.Coordination.Tests.Servers;
using Hexcast.Harness;

namespace Hexcast.Coordination.Tests.Members;

/// <summary>Who is the master while members of etcd are lost.</summary>
[Collection(nameof(EtcdTrio))]
public sealed class MastershipTests(EtcdTrio etcd) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>On a busy machine; how long it takes on a quiet one, the drill measures.</summary>
    private static readonly TimeSpan Bearable = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private MembersClient first = null!;
    private MembersClient second = null!;

    public async ValueTask InitializeAsync()
    {
        (first, second) = (new MembersClient(etcd.Options()), new MembersClient(etcd.Options()));
        await first.Client.DeleteAsync(CoordinatorClient.ElectionKey, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await etcd.HealAsync();
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_master_stays_master_when_its_member_stands_still()
    {
        var leader = await etcd.LeaderAsync();
        await using var followers = new MembersClient(etcd.Options() with
        {
            Endpoints = [.. etcd.Members.Where(member => member != leader).Select(member => member.Address)],
        });
        await using var master = new Candidate(followers.Client, "first");
        var fence = await master.ElectedAsync();
        var lost = etcd.Members.Single(member => member.Address == followers.Member);

        await lost.PauseAsync();

        await Wait.ForAsync(
            () => Task.FromResult(followers.Member != lost.Address), Limit, () => "the member is not given up");
        // Of the same time and from now on: its own was renewed by another member since, or is over before.
        var (other, _) = await second.Client.GrantLeaseIdAsync(MasterElection.LeaseTime, Cancellation);
        await second.Client.PutAsync("/hexcast/test/other", ByteString.Empty, Cancellation, other);
        await Wait.ForAsync(
            async () => await second.Client.GetAsync("/hexcast/test/other", Cancellation) is null,
            Limit, () => "the other lease does not end");
        master.Unseen().ShouldBeEmpty();
        (await KeyAsync())!.CreateRevision.ShouldBe(fence);
    }

    [Fact]
    public async Task One_that_dies_without_a_word_is_followed_when_its_lease_is_over()
    {
        var dying = new MembersClient(etcd.Options());
        await using var dead = new Candidate(dying.Client, "first");
        await dead.ElectedAsync();
        await using var next = new Candidate(second.Client, "second");
        (await next.NextAsync()).ShouldBe(0);

        var start = TimeProvider.System.GetTimestamp();
        await dying.DisposeAsync();
        await next.ElectedAsync();

        TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Bearable);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_loss_of_the_member_that_leads_costs_the_mastership_seconds(bool paused)
    {
        await using var one = new Candidate(first.Client, "first");
        await using var two = new Candidate(second.Client, "second");
        await await Task.WhenAny(one.ElectedAsync(), two.ElectedAsync());
        var before = await KeyAsync();
        var leader = await etcd.LeaderAsync();

        var start = TimeProvider.System.GetTimestamp();
        await (paused ? leader.PauseAsync() : leader.KillAsync());
        // What a master would write: under the fence that is valid then.
        await Wait.ForAsync(IsActingAsync, Limit, () => "nobody can act");

        TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Bearable);
        (await KeyAsync())!.CreateRevision.ShouldBeGreaterThanOrEqualTo(before!.CreateRevision);
    }

    [Fact]
    public async Task Without_a_quorum_nobody_is_master_and_when_it_is_back_one_is()
    {
        await using var one = new Candidate(first.Client, "first");
        var fence = await one.ElectedAsync();
        await using var two = new Candidate(second.Client, "second");
        (await two.NextAsync()).ShouldBe(0);

        await etcd.Members[0].PauseAsync();
        await etcd.Members[1].PauseAsync();
        // Nobody can tell it that its lease is over: it knows by its own clock.
        (await one.NextAsync()).ShouldBe(0);
        one.Unseen().Concat(two.Unseen()).ShouldAllBe(learned => learned == 0);

        await etcd.HealAsync();
        (await await Task.WhenAny(one.ElectedAsync(), two.ElectedAsync())).ShouldBeGreaterThan(fence);
    }

    [Fact]
    public async Task A_master_that_is_cut_off_with_the_old_leader_stops_before_another_is_elected()
    {
        // The old leader goes on answering it: renewals too, for as long as it takes itself for the leader.
        var leader = await etcd.LeaderAsync();
        await using var minority = new MembersClient(etcd.Options() with { Endpoints = [leader.Address] });
        await using var majority = new MembersClient(etcd.Options() with
        {
            Endpoints = [.. etcd.Members.Where(member => member != leader).Select(member => member.Address)],
        });
        await using var old = new Candidate(minority.Client, "first");
        await old.ElectedAsync();
        await using var next = new Candidate(majority.Client, "second");
        (await next.NextAsync()).ShouldBe(0);

        etcd.CutOff(leader);
        Task<long> ends = old.NextAsync(), begins = next.ElectedAsync();

        (await Task.WhenAny(ends, begins)).ShouldBe(ends);
        (await ends).ShouldBe(0);
        (await begins).ShouldBeGreaterThan(0);
    }

    private async Task<bool> IsActingAsync()
    {
        try
        {
            var key = await KeyAsync();
            return key is not null && (await first.Client.TxnAsync(
                [Compare.CreateRevision(CoordinatorClient.ElectionKey).EqualTo(key.CreateRevision)],
                [Operation.Put("/hexcast/test/act", key.Value)],
                Cancellation)).Succeeded;
        }
        catch (CoordinatorException)
        {
            return false;
        }
    }

    private Task<CoordinatorKeyValue?> KeyAsync() =>
        second.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation);
}
