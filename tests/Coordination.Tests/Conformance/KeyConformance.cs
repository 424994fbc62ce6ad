using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Conformance;

public sealed class EtcdKeyTests(EtcdServer server) : KeyConformance(server), IClassFixture<EtcdServer>;

[Collection(nameof(EtcdTrio))]
public sealed class TrioKeyTests(EtcdTrio server) : KeyConformance(server);

public sealed class EmbeddedKeyTests(EmbeddedServer server) : KeyConformance(server), IClassFixture<EmbeddedServer>;

public sealed class GroupKeyTests(GroupServer server) : KeyConformance(server), IClassFixture<GroupServer>;

public abstract class KeyConformance(CoordinatorServer server) : ConformanceSuite(server)
{
    [Fact]
    public async Task A_key_carries_its_revisions_and_its_version()
    {
        var created = await Put("key", "one");
        var changed = await Put("key", "two");

        var value = (await Get("key")).ShouldNotBeNull();
        value.Value.ToStringUtf8().ShouldBe("two");
        value.CreateRevision.ShouldBe(created);
        value.ModRevision.ShouldBe(changed);
        value.Version.ShouldBe(2);
        changed.ShouldBe(created + 1);
    }

    [Fact]
    public async Task A_key_that_was_deleted_starts_anew()
    {
        await Put("key", "one");
        await Put("key", "two");
        (await Delete("key")).Deleted.ShouldBe(1);
        (await Get("key")).ShouldBeNull();
        var created = await Put("key", "three");

        var value = (await Get("key")).ShouldNotBeNull();
        value.CreateRevision.ShouldBe(created);
        value.Version.ShouldBe(1);
    }

    [Fact]
    public async Task Deleting_what_is_not_there_makes_no_revision()
    {
        var before = await Put("other", "value");
        var response = await Delete("missing");
        response.Deleted.ShouldBe(0);
        response.Header.Revision.ShouldBe(before);
    }

    [Fact]
    public async Task A_range_is_deleted_in_one_revision_and_can_give_back_what_it_held()
    {
        await Put("a", "1");
        await Put("b", "2");
        var last = await Put("c", "3");
        var response = await Server.Kv.DeleteRangeAsync(
            new DeleteRangeRequest { Key = Key("a"), RangeEnd = Key("c"), PrevKv = true },
            cancellationToken: Cancellation);

        response.Deleted.ShouldBe(2);
        response.Header.Revision.ShouldBe(last + 1);
        Names(response.PrevKvs).ShouldBe(["a", "b"]);
        response.PrevKvs.Select(value => value.Value.ToStringUtf8()).ShouldBe(["1", "2"]);
        (await Get("c")).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_put_can_give_back_what_was_there()
    {
        var first = new PutRequest { Key = Key("key"), Value = Text("one"), PrevKv = true };
        (await Server.Kv.PutAsync(first, cancellationToken: Cancellation)).PrevKv.ShouldBeNull();
        var second = new PutRequest { Key = Key("key"), Value = Text("two"), PrevKv = true };
        (await Server.Kv.PutAsync(second, cancellationToken: Cancellation)).PrevKv.Value.ToStringUtf8().ShouldBe("one");
    }

    [Fact]
    public async Task A_put_can_keep_the_value_or_the_lease()
    {
        var granted = await Server.Leases.LeaseGrantAsync(
            new LeaseGrantRequest { TTL = 60 }, cancellationToken: Cancellation);
        await Put("key", "value");
        await Server.Kv.PutAsync(
            new PutRequest { Key = Key("key"), IgnoreValue = true, Lease = granted.ID },
            cancellationToken: Cancellation);
        var leased = (await Get("key")).ShouldNotBeNull();
        leased.Value.ToStringUtf8().ShouldBe("value");
        leased.Lease.ShouldBe(granted.ID);

        await Server.Kv.PutAsync(
            new PutRequest { Key = Key("key"), Value = Text("new"), IgnoreLease = true },
            cancellationToken: Cancellation);
        var kept = (await Get("key")).ShouldNotBeNull();
        kept.Value.ToStringUtf8().ShouldBe("new");
        kept.Lease.ShouldBe(granted.ID);

        await ShouldFail(
            async () => await Server.Kv.PutAsync(new PutRequest { Key = Key("missing"), IgnoreValue = true }),
            StatusCode.InvalidArgument,
            "etcdserver: key not found");
    }

    [Fact]
    public async Task Contradictory_and_empty_requests_are_refused_by_name()
    {
        await ShouldFail(
            async () => await Server.Kv.PutAsync(new PutRequest { Value = Text("x") }),
            StatusCode.InvalidArgument, "etcdserver: key is not provided");
        await ShouldFail(
            async () => await Server.Kv.RangeAsync(new RangeRequest()),
            StatusCode.InvalidArgument, "etcdserver: key is not provided");
        await ShouldFail(
            async () => await Server.Kv.DeleteRangeAsync(new DeleteRangeRequest()),
            StatusCode.InvalidArgument, "etcdserver: key is not provided");
        await ShouldFail(
            async () => await Server.Kv.PutAsync(
                new PutRequest { Key = Key("k"), Value = Text("v"), IgnoreValue = true }),
            StatusCode.InvalidArgument, "etcdserver: value is provided");
        await ShouldFail(
            async () => await Server.Kv.PutAsync(new PutRequest { Key = Key("k"), Lease = 5, IgnoreLease = true }),
            StatusCode.InvalidArgument, "etcdserver: lease is provided");
    }

    [Fact]
    public async Task A_request_over_one_and_a_half_mebibytes_is_refused_by_name()
    {
        var large = Google.Protobuf.ByteString.CopyFrom(new byte[1024 * 1024 * 3 / 2]);
        await ShouldFail(
            async () => await Server.Kv.PutAsync(new PutRequest { Key = Key("large"), Value = large }),
            StatusCode.InvalidArgument, "etcdserver: request is too large");

        var fits = Google.Protobuf.ByteString.CopyFrom(new byte[1024 * 1024]);
        await Server.Kv.PutAsync(new PutRequest { Key = Key("fits"), Value = fits });
        (await Get("fits")).ShouldNotBeNull().Value.Length.ShouldBe(1024 * 1024);
    }

    [Fact]
    public async Task Compaction_forgets_old_versions_and_keeps_the_newest()
    {
        var first = await Put("key", "one");
        var second = await Put("key", "two");
        var deletedFirst = await Put("gone", "x");
        await Delete("gone");
        await Put("key", "three");
        await Server.Kv.CompactAsync(new CompactionRequest { Revision = second }, cancellationToken: Cancellation);

        (await Range(new RangeRequest { Key = Key("key"), Revision = second })).Kvs.Single()
            .Value.ToStringUtf8().ShouldBe("two");
        (await Range(new RangeRequest { Key = Key("gone"), Revision = deletedFirst })).Kvs.Count.ShouldBe(1);
        (await Get("key"))!.Value.ToStringUtf8().ShouldBe("three");
        await ShouldFail(
            () => Range(new RangeRequest { Key = Key("key"), Revision = first }),
            StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted");
        await ShouldFail(
            async () => await Server.Kv.CompactAsync(new CompactionRequest { Revision = second }),
            StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted");
        await ShouldFail(
            async () => await Server.Kv.CompactAsync(new CompactionRequest { Revision = 1_000_000_000 }),
            StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision");
        await ShouldFail(
            () => Range(new RangeRequest { Key = Key("key"), Revision = 1_000_000_000 }),
            StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision");
    }

    [Fact]
    public async Task Compaction_keeps_the_newest_version_of_a_key_that_did_not_change_for_long()
    {
        await Put("old", "value");
        await Put("key", "1");
        await Put("key", "2");
        var third = await Put("key", "3");
        await Server.Kv.CompactAsync(new CompactionRequest { Revision = third - 1 }, cancellationToken: Cancellation);
        await Server.Kv.CompactAsync(new CompactionRequest { Revision = third }, cancellationToken: Cancellation);

        (await Get("old"))!.Value.ToStringUtf8().ShouldBe("value");
        (await Get("key"))!.Version.ShouldBe(3);
    }

    [Fact]
    public async Task Keys_and_values_are_bytes()
    {
        var key = Google.Protobuf.ByteString.CopyFrom([.. PrefixKey, 0, 255, 0]);
        var value = Google.Protobuf.ByteString.CopyFrom([0, 1, 254, 255]);
        await Server.Kv.PutAsync(new PutRequest { Key = key, Value = value }, cancellationToken: Cancellation);
        var found = (await Range(new RangeRequest { Key = key })).Kvs.Single();
        found.Key.ShouldBe(key);
        found.Value.ShouldBe(value);
    }

    [Fact]
    public async Task Concurrent_writers_get_revisions_of_their_own()
    {
        var revisions = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Put($"key-{i % 10}", $"{i}")));
        revisions.Distinct().Count().ShouldBe(200);
        (await Range(new RangeRequest())).Kvs.Sum(value => value.Version).ShouldBe(200);
    }

    [Fact]
    public async Task Status_and_members_name_the_leader()
    {
        var status = await new Maintenance.MaintenanceClient(Server.Invoker).StatusAsync(
            new StatusRequest(), cancellationToken: Cancellation);
        var members = await new Cluster.ClusterClient(Server.Invoker).MemberListAsync(
            new MemberListRequest(), cancellationToken: Cancellation);

        status.Version.ShouldStartWith("3.4.");
        status.RaftTerm.ShouldBeGreaterThan(0ul);
        status.RaftAppliedIndex.ShouldBeLessThanOrEqualTo(status.RaftIndex);
        members.Members.Select(member => member.Name).Order()
            .ShouldBe(Enumerable.Range(1, Server.MemberCount).Select(number => $"node-{number}"));
        members.Members.ShouldContain(member => member.ID == status.Leader);
        members.Members.ShouldContain(member => member.ID == status.Header.MemberId);
        (await Range(new RangeRequest())).Header.ClusterId.ShouldBe(status.Header.ClusterId);
    }
}
