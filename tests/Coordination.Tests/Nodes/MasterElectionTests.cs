using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Nodes;

/// <summary>Nodes that stand for the mastership on a real etcd.</summary>
public sealed class MasterElectionTests(EtcdServer etcd) : IClassFixture<EtcdServer>, IAsyncLifetime
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        await etcd.Client.DeleteAsync(CoordinatorClient.ElectionKey, Cancellation);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task One_of_several_is_elected_and_when_it_leaves_another_is()
    {
        await using var first = new Candidate(etcd.Client, "first");
        var one = await first.ElectedAsync();
        await using var second = new Candidate(etcd.Client, "second");
        await using var third = new Candidate(etcd.Client, "third");
        (await second.NextAsync()).ShouldBe(0);
        (await third.NextAsync()).ShouldBe(0);

        await first.LeaveAsync();

        var next = await await Task.WhenAny(second.ElectedAsync(), third.ElectedAsync());
        next.ShouldBeGreaterThan(one);
        (await etcd.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation))!.CreateRevision.ShouldBe(next);
    }

    [Fact]
    public async Task One_whose_lease_is_ended_is_master_no_more_and_stands_again()
    {
        await using var candidate = new Candidate(etcd.Client, "alone");
        var fence = await candidate.ElectedAsync();
        var key = await etcd.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation);

        await etcd.Client.RevokeLeaseAsync(key!.LeaseId, Cancellation);

        (await candidate.NextAsync()).ShouldBe(0);
        (await candidate.ElectedAsync()).ShouldBeGreaterThan(fence);
    }

    [Fact]
    public async Task One_that_starts_again_is_elected_under_a_new_fence_before_its_last_lease_has_run_out()
    {
        var (old, _) = await etcd.Client.GrantLeaseIdAsync(TimeSpan.FromMinutes(10), Cancellation);
        await etcd.Client.PutAsync(
            CoordinatorClient.ElectionKey, Google.Protobuf.ByteString.CopyFromUtf8("again"), Cancellation, old);
        var left = await etcd.Client.GetAsync(CoordinatorClient.ElectionKey, Cancellation);

        await using var candidate = new Candidate(etcd.Client, "again");

        (await candidate.ElectedAsync()).ShouldBeGreaterThan(left!.CreateRevision);
        (await etcd.Leases.LeaseTimeToLiveAsync(new LeaseTimeToLiveRequest { ID = old, Keys = true }))
            .Keys.ShouldBeEmpty();
    }
}
