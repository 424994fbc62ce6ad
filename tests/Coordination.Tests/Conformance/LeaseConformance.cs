using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Conformance;

public sealed class EtcdLeaseTests(EtcdServer server) : LeaseConformance(server), IClassFixture<EtcdServer>;

[Collection(nameof(EtcdTrio))]
public sealed class TrioLeaseTests(EtcdTrio server) : LeaseConformance(server);

public sealed class EmbeddedLeaseTests(EmbeddedServer server)
    : LeaseConformance(server), IClassFixture<EmbeddedServer>;

public sealed class GroupLeaseTests(GroupServer server) : LeaseConformance(server), IClassFixture<GroupServer>;

public abstract class LeaseConformance(CoordinatorServer server) : ConformanceSuite(server)
{
    private static readonly TimeSpan ExpiryLimit = TimeSpan.FromMinutes(1);

    private async Task<long> Grant(long seconds, long id = 0) =>
        (await Server.Leases.LeaseGrantAsync(
            new LeaseGrantRequest { TTL = seconds, ID = id }, cancellationToken: Cancellation)).ID;

    private async Task<LeaseTimeToLiveResponse> Look(long id) => await Server.Leases.LeaseTimeToLiveAsync(
        new LeaseTimeToLiveRequest { ID = id, Keys = true }, cancellationToken: Cancellation);

    [Fact]
    public async Task A_lease_knows_its_time_and_its_keys()
    {
        var id = await Grant(60);
        await Put("b", "1", id);
        await Put("a", "2", id);
        var lease = await Look(id);
        lease.GrantedTTL.ShouldBe(60);
        lease.TTL.ShouldBeInRange(1, 60);
        lease.Keys.Select(key => key.ToStringUtf8()[Prefix.Length..]).Order().ShouldBe(["a", "b"]);
        var all = await Server.Leases.LeaseLeasesAsync(new LeaseLeasesRequest(), cancellationToken: Cancellation);
        all.Leases.Select(status => status.ID).ShouldContain(id);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_short_time_is_raised_to_two_seconds(long seconds)
    {
        var granted = await Server.Leases.LeaseGrantAsync(
            new LeaseGrantRequest { TTL = seconds }, cancellationToken: Cancellation);
        granted.TTL.ShouldBe(2);
        granted.ID.ShouldNotBe(0);
    }

    [Fact]
    public async Task An_id_can_be_chosen_but_only_once()
    {
        (await Grant(60, id: 4_711)).ShouldBe(4_711);
        await ShouldFail(
            () => Grant(60, id: 4_711), StatusCode.FailedPrecondition, "etcdserver: lease already exists");
        await ShouldFail(
            () => Grant(9_000_000_001), StatusCode.OutOfRange, "etcdserver: too large lease TTL");
        (await Grant(9_000_000_000)).ShouldNotBe(0);
    }

    [Fact]
    public async Task Revoking_deletes_the_keys_in_one_revision()
    {
        var id = await Grant(60);
        await Put("a", "1", id);
        await Put("b", "2", id);
        var before = await Put("free", "3");
        await Server.Leases.LeaseRevokeAsync(new LeaseRevokeRequest { ID = id }, cancellationToken: Cancellation);

        var left = await Range(new RangeRequest());
        Names(left.Kvs).ShouldBe(["free"]);
        left.Header.Revision.ShouldBe(before + 1);
        (await Look(id)).TTL.ShouldBe(-1);
        await ShouldFail(
            async () => await Server.Leases.LeaseRevokeAsync(new LeaseRevokeRequest { ID = id }),
            StatusCode.NotFound, "etcdserver: requested lease not found");
        await ShouldFail(
            () => Put("c", "4", id), StatusCode.NotFound, "etcdserver: requested lease not found");
    }

    [Fact]
    public async Task A_key_hangs_on_the_lease_of_its_last_write_only()
    {
        var (first, second) = (await Grant(60), await Grant(60));
        await Put("moved", "1", first);
        await Put("moved", "2", second);
        await Put("freed", "1", first);
        await Put("freed", "2");
        await Server.Leases.LeaseRevokeAsync(new LeaseRevokeRequest { ID = first }, cancellationToken: Cancellation);
        Names((await Range(new RangeRequest())).Kvs).ShouldBe(["freed", "moved"]);
        await Server.Leases.LeaseRevokeAsync(new LeaseRevokeRequest { ID = second }, cancellationToken: Cancellation);
        Names((await Range(new RangeRequest())).Kvs).ShouldBe(["freed"]);
    }

    [Fact]
    public async Task A_lease_that_nobody_keeps_alive_ends_and_takes_its_keys()
    {
        // Longer than a noisy machine may stand still between two keep-alives.
        var kept = await Grant(5);
        var left = await Grant(5);
        await Put("kept", "1", kept);
        await Put("left", "2", left);
        var limit = TimeProvider.System.GetUtcNow() + ExpiryLimit;
        using var call = Server.Leases.LeaseKeepAlive(cancellationToken: Cancellation);
        while (await Get("left") is not null)
        {
            TimeProvider.System.GetUtcNow().ShouldBeLessThan(limit, "the lease does not end");
            await call.RequestStream.WriteAsync(new LeaseKeepAliveRequest { ID = kept }, Cancellation);
            (await call.ResponseStream.MoveNext(Cancellation)).ShouldBeTrue();
            call.ResponseStream.Current.TTL.ShouldBe(5);
        }
        (await Get("kept")).ShouldNotBeNull();
        (await Look(left)).TTL.ShouldBe(-1);
    }

    [Fact]
    public async Task Keeping_alive_what_is_gone_answers_zero()
    {
        using var call = Server.Leases.LeaseKeepAlive(cancellationToken: Cancellation);
        await call.RequestStream.WriteAsync(new LeaseKeepAliveRequest { ID = 987_654 }, Cancellation);
        (await call.ResponseStream.MoveNext(Cancellation)).ShouldBeTrue();
        call.ResponseStream.Current.ID.ShouldBe(987_654);
        call.ResponseStream.Current.TTL.ShouldBe(0);
    }
}
