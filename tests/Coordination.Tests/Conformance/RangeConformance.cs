using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Tests.Servers;
using Order = Hexcast.Contracts.Etcd.RangeRequest.Types.SortOrder;
using Target = Hexcast.Contracts.Etcd.RangeRequest.Types.SortTarget;

namespace Hexcast.Coordination.Tests.Conformance;

public sealed class EtcdRangeTests(EtcdServer server) : RangeConformance(server), IClassFixture<EtcdServer>;

[Collection(nameof(EtcdTrio))]
public sealed class TrioRangeTests(EtcdTrio server) : RangeConformance(server);

public sealed class EmbeddedRangeTests(EmbeddedServer server)
    : RangeConformance(server), IClassFixture<EmbeddedServer>;

public sealed class GroupRangeTests(GroupServer server) : RangeConformance(server), IClassFixture<GroupServer>;

public abstract class RangeConformance(CoordinatorServer server) : ConformanceSuite(server)
{
    /// <summary>a, b, c, d in the order of writing c, a, d, b; then a again. Values fall as keys rise.</summary>
    private async Task<long> WriteFour()
    {
        var first = await Put("c", "2");
        await Put("a", "0");
        await Put("d", "1");
        await Put("b", "3");
        await Put("a", "4");
        return first;
    }

    [Fact]
    public async Task A_range_comes_in_key_order_with_its_end_excluded()
    {
        await WriteFour();
        Names((await Range(new RangeRequest())).Kvs).ShouldBe(["a", "b", "c", "d"]);
        var part = await Range(new RangeRequest { Key = Key("b"), RangeEnd = Key("d") });
        Names(part.Kvs).ShouldBe(["b", "c"]);
        part.Count.ShouldBe(2);
        part.More.ShouldBeFalse();
        (await Range(new RangeRequest { Key = Key("d"), RangeEnd = Key("a") })).Kvs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_range_with_a_zero_byte_as_its_end_has_no_end()
    {
        await WriteFour();
        var zero = Google.Protobuf.ByteString.CopyFrom(0);
        var tail = await Range(new RangeRequest { Key = Key("c"), RangeEnd = zero });
        Names(tail.Kvs.Where(value => value.Key.ToStringUtf8().StartsWith(Prefix, StringComparison.Ordinal)))
            .ShouldBe(["c", "d"]);
        var all = await Range(new RangeRequest { Key = zero, RangeEnd = zero });
        all.Count.ShouldBeGreaterThanOrEqualTo(4);
    }

    [Fact]
    public async Task A_limit_says_that_there_is_more_and_counts_all()
    {
        await WriteFour();
        var limited = await Range(new RangeRequest { Limit = 3 });
        Names(limited.Kvs).ShouldBe(["a", "b", "c"]);
        limited.More.ShouldBeTrue();
        limited.Count.ShouldBe(4);

        var exact = await Range(new RangeRequest { Limit = 4 });
        exact.Kvs.Count.ShouldBe(4);
        exact.More.ShouldBeFalse();
    }

    [Theory]
    [InlineData(Target.Key, Order.Ascend, "a b c d")]
    [InlineData(Target.Key, Order.Descend, "d c b a")]
    [InlineData(Target.Create, Order.Ascend, "c a d b")]
    [InlineData(Target.Create, Order.Descend, "b d a c")]
    [InlineData(Target.Mod, Order.Ascend, "c d b a")]
    [InlineData(Target.Value, Order.Ascend, "d c b a")]
    [InlineData(Target.Value, Order.Descend, "a b c d")]
    public async Task A_range_can_be_sorted(Target target, Order order, string expected)
    {
        await WriteFour();
        var sorted = await Range(new RangeRequest { SortTarget = target, SortOrder = order });
        string.Join(' ', Names(sorted.Kvs)).ShouldBe(expected);
        var limited = await Range(new RangeRequest { SortTarget = target, SortOrder = order, Limit = 2 });
        string.Join(' ', Names(limited.Kvs)).ShouldBe(expected[..3]);
        limited.More.ShouldBeTrue();
    }

    [Fact]
    public async Task A_sort_target_without_an_order_sorts_upwards()
    {
        await WriteFour();
        Names((await Range(new RangeRequest { SortTarget = Target.Mod })).Kvs).ShouldBe(["c", "d", "b", "a"]);
    }

    [Fact]
    public async Task Sorting_by_version_finds_the_key_written_most()
    {
        await WriteFour();
        var most = await Range(new RangeRequest
        {
            SortTarget = Target.Version,
            SortOrder = Order.Descend,
            Limit = 1,
        });
        Names(most.Kvs).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Keys_only_leaves_out_the_values_and_count_only_the_keys()
    {
        await WriteFour();
        var keys = await Range(new RangeRequest { KeysOnly = true });
        Names(keys.Kvs).ShouldBe(["a", "b", "c", "d"]);
        keys.Kvs.ShouldAllBe(value => value.Value.IsEmpty);
        keys.Kvs[0].Version.ShouldBe(2);
        (await Get("a"))!.Value.ToStringUtf8().ShouldBe("4");

        var count = await Range(new RangeRequest { CountOnly = true });
        count.Count.ShouldBe(4);
        count.Kvs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Revisions_can_be_bounded_on_both_sides()
    {
        var first = await WriteFour();
        Names((await Range(new RangeRequest { MinModRevision = first + 3 })).Kvs).ShouldBe(["a", "b"]);
        Names((await Range(new RangeRequest { MaxModRevision = first + 2 })).Kvs).ShouldBe(["c", "d"]);
        Names((await Range(new RangeRequest { MinCreateRevision = first + 2 })).Kvs).ShouldBe(["b", "d"]);
        var filtered = await Range(new RangeRequest { MaxCreateRevision = first + 1 });
        Names(filtered.Kvs).ShouldBe(["a", "c"]);
        filtered.Count.ShouldBe(4);
    }

    [Fact]
    public async Task The_past_can_be_read()
    {
        var first = await WriteFour();
        await Delete("d");
        var past = await Range(new RangeRequest { Revision = first + 2 });
        Names(past.Kvs).ShouldBe(["a", "c", "d"]);
        past.Kvs[0].Value.ToStringUtf8().ShouldBe("0");
        past.Count.ShouldBe(3);
        Names((await Range(new RangeRequest())).Kvs).ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public async Task A_serializable_read_sees_what_was_acknowledged()
    {
        await WriteFour();
        Names((await Range(new RangeRequest { Serializable = true })).Kvs).ShouldBe(["a", "b", "c", "d"]);
    }
}
