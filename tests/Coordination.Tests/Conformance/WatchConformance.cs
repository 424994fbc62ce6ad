using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Tests.Servers;
using Filter = Hexcast.Contracts.Etcd.WatchCreateRequest.Types.FilterType;
using Kind = Hexcast.Contracts.Etcd.Event.Types.EventType;

namespace Hexcast.Coordination.Tests.Conformance;

public sealed class EtcdWatchTests(EtcdServer server) : WatchConformance(server), IClassFixture<EtcdServer>;

[Collection(nameof(EtcdTrio))]
public sealed class TrioWatchTests(EtcdTrio server) : WatchConformance(server);

public sealed class EmbeddedWatchTests(EmbeddedServer server)
    : WatchConformance(server), IClassFixture<EmbeddedServer>;

public sealed class GroupWatchTests(GroupServer server) : WatchConformance(server), IClassFixture<GroupServer>;

public abstract class WatchConformance(CoordinatorServer server) : ConformanceSuite(server)
{
    private WatchCreateRequest All(long from = 0) =>
        new() { Key = PrefixKey, RangeEnd = PrefixEnd, StartRevision = from };

    private string[] Describe(IEnumerable<Event> events) =>
    [
        .. events.Select(change => $"{change.Type} {change.Kv.Key.ToStringUtf8()[Prefix.Length..]}" +
            (change.Kv.Value.IsEmpty ? "" : $"={change.Kv.Value.ToStringUtf8()}") +
            (change.PrevKv is null ? "" : $" was {change.PrevKv.Value.ToStringUtf8()}")),
    ];

    [Fact]
    public async Task A_watch_sees_what_happens_after_it_was_created()
    {
        await Put("before", "0");
        using var watch = new WatchSession(Server);
        var created = await watch.CreateAsync(All());
        created.Created.ShouldBeTrue();
        created.Canceled.ShouldBeFalse();
        var first = await Put("a", "1");
        await Delete("a");

        var events = await watch.ReadEventsAsync(2);
        Describe(events).ShouldBe(["Put a=1", "Delete a"]);
        events[0].Kv.ModRevision.ShouldBe(first);
        events[0].Kv.Version.ShouldBe(1);
        events[1].Kv.ModRevision.ShouldBe(first + 1);
        events[1].Kv.CreateRevision.ShouldBe(0);
    }

    [Fact]
    public async Task A_watch_of_one_key_sees_no_other()
    {
        using var watch = new WatchSession(Server);
        await watch.CreateAsync(new WatchCreateRequest { Key = Key("key") });
        await Put("key2", "no");
        await Put("ke", "no");
        await Put("key", "yes");
        Describe(await watch.ReadEventsAsync(1)).ShouldBe(["Put key=yes"]);
    }

    [Fact]
    public async Task A_watch_can_start_in_the_past_and_goes_on_into_the_present()
    {
        await Put("a", "0");
        var from = await Put("a", "1");
        await Put("b", "2");
        using var watch = new WatchSession(Server);
        await watch.CreateAsync(All(from));
        await Put("c", "3");
        Describe(await watch.ReadEventsAsync(3)).ShouldBe(["Put a=1", "Put b=2", "Put c=3"]);
    }

    [Fact]
    public async Task A_watch_can_start_in_the_future()
    {
        var now = await Put("a", "0");
        using var watch = new WatchSession(Server);
        await watch.CreateAsync(All(now + 3));
        await Put("a", "1");
        await Put("a", "2");
        await Put("a", "3");
        Describe(await watch.ReadEventsAsync(1)).ShouldBe(["Put a=3"]);
    }

    [Fact]
    public async Task A_watch_can_show_what_was_there_before()
    {
        using var watch = new WatchSession(Server);
        var request = All();
        request.PrevKv = true;
        await watch.CreateAsync(request);
        await Put("a", "1");
        await Put("a", "2");
        await Delete("a");
        Describe(await watch.ReadEventsAsync(3)).ShouldBe(["Put a=1", "Put a=2 was 1", "Delete a was 2"]);
    }

    [Fact]
    public async Task A_watch_can_leave_out_puts_or_deletions()
    {
        using var deletions = new WatchSession(Server);
        var noPuts = All();
        noPuts.Filters.Add(Filter.Noput);
        await deletions.CreateAsync(noPuts);
        using var puts = new WatchSession(Server);
        var noDeletions = All();
        noDeletions.Filters.Add(Filter.Nodelete);
        await puts.CreateAsync(noDeletions);

        await Put("a", "1");
        await Delete("a");
        await Put("a", "2");
        await Delete("a");
        Describe(await deletions.ReadEventsAsync(2)).ShouldBe(["Delete a", "Delete a"]);
        Describe(await puts.ReadEventsAsync(2)).ShouldBe(["Put a=1", "Put a=2"]);
    }

    [Fact]
    public async Task The_changes_of_one_transaction_come_together_and_in_order()
    {
        using var watch = new WatchSession(Server);
        await watch.CreateAsync(All());
        var request = new TxnRequest();
        request.Success.AddRange(Enumerable.Range(0, 100).Select(i => new RequestOp
        {
            RequestPut = new PutRequest { Key = Key($"{i:d3}"), Value = Text("x") },
        }));
        var response = await Txn(request);

        var events = (await watch.ReadAsync()).Events;
        Names(events.Select(change => change.Kv)).ShouldBe([.. Enumerable.Range(0, 100).Select(i => $"{i:d3}")]);
        events.ShouldAllBe(change => change.Kv.ModRevision == response.Header.Revision);
    }

    [Fact]
    public async Task Thousands_of_changes_arrive_each_once_and_in_order()
    {
        const int Changes = 5_000;
        using var early = new WatchSession(Server);
        await early.CreateAsync(All());
        var first = await Put("key", "0");
        // Nobody reads meanwhile: the changes are more than the server keeps ready for one stream.
        foreach (var chunk in Enumerable.Range(1, Changes - 1).Chunk(100))
        {
            await Task.WhenAll(chunk.Select(i => Put("key", $"{i}")));
        }
        using var late = new WatchSession(Server);
        await late.CreateAsync(All(first));

        foreach (var watch in (WatchSession[])[early, late])
        {
            var events = await watch.ReadEventsAsync(Changes);
            events.Select(change => change.Kv.ModRevision)
                .ShouldBe(Enumerable.Range(0, Changes).Select(i => first + i));
        }
    }

    [Fact]
    public async Task Several_watches_share_a_stream_and_can_be_cancelled_one_by_one()
    {
        using var watch = new WatchSession(Server);
        var a = await watch.CreateAsync(new WatchCreateRequest { Key = Key("a"), WatchId = 7 });
        var b = await watch.CreateAsync(new WatchCreateRequest { Key = Key("b") });
        a.WatchId.ShouldBe(7);
        b.WatchId.ShouldNotBe(7);
        await Put("a", "1");
        (await watch.ReadAsync()).WatchId.ShouldBe(7);
        await watch.WriteAsync(new WatchRequest { CancelRequest = new WatchCancelRequest { WatchId = 7 } });
        var cancelled = await watch.ReadAsync();
        (cancelled.WatchId, cancelled.Canceled).ShouldBe((7, true));
        await Put("a", "2");
        await Put("b", "3");
        (await watch.ReadAsync()).WatchId.ShouldBe(b.WatchId);
    }

    [Fact]
    public async Task A_watch_below_the_compacted_revision_is_cancelled_with_that_revision()
    {
        var first = await Put("a", "1");
        await Put("a", "2");
        var compacted = await Put("a", "3");
        await Server.Kv.CompactAsync(new CompactionRequest { Revision = compacted }, cancellationToken: Cancellation);
        using var watch = new WatchSession(Server);
        await watch.CreateAsync(All(first));
        var cancelled = await watch.ReadAsync();
        cancelled.Canceled.ShouldBeTrue();
        cancelled.CompactRevision.ShouldBe(compacted);

        // The compacted revision itself can still be watched.
        await watch.CreateAsync(All(compacted));
        Describe(await watch.ReadEventsAsync(1)).ShouldBe(["Put a=3"]);
    }

    [Fact]
    public async Task A_watch_of_nothing_is_refused_and_the_stream_goes_on()
    {
        using var watch = new WatchSession(Server);
        var refused = await watch.CreateAsync(new WatchCreateRequest { Key = Key("b"), RangeEnd = Key("a") });
        (refused.Created, refused.Canceled).ShouldBe((true, true));
        await watch.CreateAsync(new WatchCreateRequest { Key = Key("b"), WatchId = 3 });
        var twice = await watch.CreateAsync(new WatchCreateRequest { Key = Key("c"), WatchId = 3 });
        (twice.Created, twice.Canceled).ShouldBe((true, true));
        await Put("b", "1");
        Describe(await watch.ReadEventsAsync(1)).ShouldBe(["Put b=1"]);
    }

    [Fact]
    public async Task Progress_can_be_asked_for()
    {
        using var watch = new WatchSession(Server);
        await watch.CreateAsync(All());
        var revision = await Put("a", "1");
        await watch.ReadEventsAsync(1);
        await watch.WriteAsync(new WatchRequest { ProgressRequest = new WatchProgressRequest() });
        var progress = await watch.ReadAsync();
        progress.Events.ShouldBeEmpty();
        progress.Header.Revision.ShouldBe(revision);
    }

    [Fact]
    public async Task A_revision_too_large_for_one_message_comes_in_fragments_for_those_who_join_them()
    {
        // 3 MB: a client reads 4 MiB at most, so this is far below what breaks it and above what is split.
        var value = Google.Protobuf.ByteString.CopyFrom(new byte[300_000]);
        for (var i = 0; i < 10; i++)
        {
            await Server.Kv.PutAsync(new PutRequest { Key = Key($"{i}"), Value = value });
        }
        using var watch = new WatchSession(Server);
        var request = All();
        request.PrevKv = true;
        request.Fragment = true;
        await watch.CreateAsync(request);
        await Server.Kv.DeleteRangeAsync(new DeleteRangeRequest { Key = PrefixKey, RangeEnd = PrefixEnd });

        var first = await watch.ReadAsync();
        first.Fragment.ShouldBeTrue();
        var (events, last) = (first.Events.Count, first);
        while (last.Fragment)
        {
            last = await watch.ReadAsync();
            events += last.Events.Count;
        }
        events.ShouldBe(10);
    }

    [Fact]
    public async Task The_end_of_a_lease_is_seen_as_deletions()
    {
        var lease = await Server.Leases.LeaseGrantAsync(new LeaseGrantRequest { TTL = 2 });
        await Put("node", "here", lease.ID);
        using var watch = new WatchSession(Server);
        await watch.CreateAsync(All());
        Describe(await watch.ReadEventsAsync(1)).ShouldBe(["Delete node"]);
    }
}
