using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Tests.Servers;
using Result = Hexcast.Contracts.Etcd.Compare.Types.CompareResult;
using Target = Hexcast.Contracts.Etcd.Compare.Types.CompareTarget;

namespace Hexcast.Coordination.Tests.Conformance;

public sealed class EtcdTxnTests(EtcdServer server) : TxnConformance(server), IClassFixture<EtcdServer>;

[Collection(nameof(EtcdTrio))]
public sealed class TrioTxnTests(EtcdTrio server) : TxnConformance(server);

public sealed class EmbeddedTxnTests(EmbeddedServer server) : TxnConformance(server), IClassFixture<EmbeddedServer>;

public sealed class GroupTxnTests(GroupServer server) : TxnConformance(server), IClassFixture<GroupServer>;

public abstract class TxnConformance(CoordinatorServer server) : ConformanceSuite(server)
{
    private RequestOp PutOp(string name, string value = "") =>
        new() { RequestPut = new PutRequest { Key = Key(name), Value = Text(value) } };

    private RequestOp DeleteOp(string name) =>
        new() { RequestDeleteRange = new DeleteRangeRequest { Key = Key(name) } };

    private RequestOp RangeOp(string name, long revision = 0) =>
        new() { RequestRange = new RangeRequest { Key = Key(name), Revision = revision } };

    private static TxnRequest Of(IEnumerable<RequestOp> success) => new() { Success = { success } };

    [Fact]
    public async Task All_operations_take_effect_in_one_revision()
    {
        var before = await Put("old", "x");
        var response = await Txn(Of([PutOp("a", "1"), DeleteOp("old"), PutOp("b", "2"), RangeOp("a")]));

        response.Succeeded.ShouldBeTrue();
        response.Header.Revision.ShouldBe(before + 1);
        response.Responses.Count.ShouldBe(4);
        response.Responses[1].ResponseDeleteRange.Deleted.ShouldBe(1);
        // A read in a transaction sees the writes before it.
        response.Responses[3].ResponseRange.Kvs.Single().Value.ToStringUtf8().ShouldBe("1");
        (await Get("a"))!.ModRevision.ShouldBe(before + 1);
        (await Get("b"))!.ModRevision.ShouldBe(before + 1);
    }

    [Fact]
    public async Task A_failed_guard_runs_the_other_branch()
    {
        var request = new TxnRequest
        {
            Compare =
            {
                new Compare { Key = Key("missing"), Target = Target.Version, Result = Result.Greater, Version = 0 },
            },
            Success = { PutOp("then") },
            Failure = { PutOp("else") },
        };
        (await Txn(request)).Succeeded.ShouldBeFalse();
        (await Get("then")).ShouldBeNull();
        (await Get("else")).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_transaction_that_changes_nothing_makes_no_revision()
    {
        var before = await Put("key", "x");
        (await Txn(Of([RangeOp("key")]))).Header.Revision.ShouldBe(before);
        (await Txn(Of([DeleteOp("missing")]))).Header.Revision.ShouldBe(before);
        (await Txn(new TxnRequest())).Succeeded.ShouldBeTrue();
    }

    public static TheoryData<Target, Result, int, bool> Matrix()
    {
        var rows = new TheoryData<Target, Result, int, bool>();
        foreach (var target in Enum.GetValues<Target>())
        {
            foreach (var offset in (int[])[-1, 0, 1])
            {
                // The key's number is compared with number + offset: -1 means that the key's is greater.
                rows.Add(target, Result.Equal, offset, offset == 0);
                rows.Add(target, Result.NotEqual, offset, offset != 0);
                rows.Add(target, Result.Greater, offset, offset < 0);
                rows.Add(target, Result.Less, offset, offset > 0);
            }
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Every_property_can_be_compared_in_every_way(Target target, Result result, int offset, bool holds)
    {
        var lease = await Server.Leases.LeaseGrantAsync(new LeaseGrantRequest { TTL = 60 });
        await Put("key", "4", lease.ID);
        await Put("key", "5", lease.ID);
        var value = (await Get("key"))!;
        var compare = new Compare { Key = Key("key"), Target = target, Result = result };
        switch (target)
        {
            case Target.Version:
                compare.Version = value.Version + offset;
                break;
            case Target.Create:
                compare.CreateRevision = value.CreateRevision + offset;
                break;
            case Target.Mod:
                compare.ModRevision = value.ModRevision + offset;
                break;
            case Target.Value:
                compare.Value = Text($"{5 + offset}");
                break;
            case Target.Lease:
                compare.Lease = value.Lease + offset;
                break;
        }
        (await Txn(new TxnRequest { Compare = { compare } })).Succeeded.ShouldBe(holds);
    }

    [Theory]
    [InlineData(Target.Version, Result.Equal, true)]
    [InlineData(Target.Create, Result.Equal, true)]
    [InlineData(Target.Mod, Result.Equal, true)]
    [InlineData(Target.Lease, Result.Equal, true)]
    [InlineData(Target.Create, Result.NotEqual, false)]
    [InlineData(Target.Create, Result.Less, false)]
    [InlineData(Target.Value, Result.Equal, false)]
    [InlineData(Target.Value, Result.NotEqual, false)]
    public async Task A_missing_key_has_zeros_but_no_value(Target target, Result result, bool holds)
    {
        var compare = new Compare { Key = Key("missing"), Target = target, Result = result };
        (await Txn(new TxnRequest { Compare = { compare } })).Succeeded.ShouldBe(holds);
    }

    [Fact]
    public async Task A_guard_over_a_range_holds_only_if_it_holds_for_every_key()
    {
        await Put("a", "1");
        await Put("b", "2");
        Compare All(string value) => new()
        {
            Key = PrefixKey,
            RangeEnd = PrefixEnd,
            Target = Target.Value,
            Result = Result.Less,
            Value = Text(value),
        };
        (await Txn(new TxnRequest { Compare = { All("3") } })).Succeeded.ShouldBeTrue();
        (await Txn(new TxnRequest { Compare = { All("2") } })).Succeeded.ShouldBeFalse();
    }

    [Fact]
    public async Task Transactions_nest_and_their_guards_see_the_state_before_all_of_them()
    {
        var inner = new TxnRequest
        {
            Compare =
            {
                new Compare { Key = Key("a"), Target = Target.Version, Result = Result.Equal, Version = 0 },
            },
            Success = { PutOp("then", "1") },
            Failure = { PutOp("else", "1") },
        };
        var response = await Txn(Of([PutOp("a", "1"), new RequestOp { RequestTxn = inner }]));
        response.Responses[1].ResponseTxn.Succeeded.ShouldBeTrue();
        (await Get("then")).ShouldNotBeNull();
        (await Get("else")).ShouldBeNull();
    }

    [Fact]
    public async Task No_key_is_written_twice_in_one_transaction()
    {
        async Task Refused(TxnRequest request) => await ShouldFail(
            () => Txn(request), StatusCode.InvalidArgument, "etcdserver: duplicate key given in txn request");

        await Refused(Of([PutOp("a"), PutOp("a")]));
        await Refused(Of([PutOp("a"), DeleteOp("a")]));
        await Refused(new TxnRequest { Failure = { PutOp("a"), PutOp("a") } });
        await Refused(Of([PutOp("b"), new RequestOp
        {
            RequestDeleteRange = new DeleteRangeRequest { Key = PrefixKey, RangeEnd = PrefixEnd },
        }]));
        await Refused(Of([PutOp("a"), new RequestOp { RequestTxn = Of([PutOp("a")]) }]));
        await Refused(Of([DeleteOp("a"), new RequestOp { RequestTxn = Of([PutOp("a")]) }]));

        // Both branches may: only one is run. So may two deletions.
        await Txn(new TxnRequest { Success = { PutOp("a") }, Failure = { PutOp("a") } });
        await Txn(Of([DeleteOp("a"), DeleteOp("a")]));
        await Txn(Of([new RequestOp
        {
            RequestTxn = new TxnRequest { Success = { PutOp("c") }, Failure = { PutOp("c") } },
        }]));
    }

    [Fact]
    public async Task A_transaction_holds_128_operations_a_branch()
    {
        await Txn(Of(Enumerable.Range(0, 128).Select(i => PutOp($"{i}"))));
        await ShouldFail(
            () => Txn(Of(Enumerable.Range(0, 129).Select(i => PutOp($"{i}")))),
            StatusCode.InvalidArgument, "etcdserver: too many operations in txn request");
        await ShouldFail(
            () => Txn(Of(Enumerable.Range(0, 127).Select(i => PutOp($"{i}")).Append(new RequestOp
            {
                RequestTxn = Of([PutOp("x"), PutOp("y")]),
            }))),
            StatusCode.InvalidArgument, "etcdserver: too many operations in txn request");
    }

    [Fact]
    public async Task A_transaction_that_cannot_run_whole_does_not_run_at_all()
    {
        var leased = new RequestOp { RequestPut = new PutRequest { Key = Key("b"), Lease = 123_456_789 } };
        await ShouldFail(
            () => Txn(Of([PutOp("a"), leased])), StatusCode.NotFound, "etcdserver: requested lease not found");
        if (Server.CanReadRevisionsInTransactions)
        {
            await ShouldFail(
                () => Txn(Of([PutOp("a"), RangeOp("a", revision: 1_000_000_000)])),
                StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision");
        }

        await ShouldFail(
            () => Txn(Of([PutOp("a"), new RequestOp()])), StatusCode.InvalidArgument, "etcdserver: key not found");
        await ShouldFail(
            () => Txn(Of([PutOp("a"), new RequestOp { RequestPut = new PutRequest() }])),
            StatusCode.InvalidArgument, "etcdserver: key is not provided");
        (await Get("a")).ShouldBeNull();
    }

    [Fact]
    public async Task Concurrent_increments_by_compare_and_swap_lose_none()
    {
        await Put("counter", "0");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => IncrementTenTimes()));
        (await Get("counter"))!.Value.ToStringUtf8().ShouldBe("40");

        async Task IncrementTenTimes()
        {
            for (var done = 0; done < 10;)
            {
                var value = (await Get("counter"))!;
                var guard = new Compare
                {
                    Key = value.Key,
                    Target = Target.Mod,
                    Result = Result.Equal,
                    ModRevision = value.ModRevision,
                };
                var next = int.Parse(value.Value.ToStringUtf8()) + 1;
                var request = new TxnRequest { Compare = { guard }, Success = { PutOp("counter", $"{next}") } };
                done += (await Txn(request)).Succeeded ? 1 : 0;
            }
        }
    }
}
