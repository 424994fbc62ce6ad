using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Leases;
using Hexcast.Coordination.Embedded.Log;
using Hexcast.Coordination.Embedded.Watching;

namespace Hexcast.Coordination.Tests.Embedded;

public sealed class CoordinatorCoreTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static Command PutCommand(string key) =>
        new() { Put = new PutRequest { Key = ByteString.CopyFromUtf8(key) } };

    [Fact]
    public void Nothing_is_answered_or_seen_before_it_is_durable()
    {
        var core = new CoreDriver { DiskIsFast = false };
        core.Watch(stream: 1, "key");
        var put = core.Propose(PutCommand("key"));
        core.OutcomeOf(put).ShouldBeNull();
        core.Get("key").ShouldBeNull();
        core.Watched.ShouldAllBe(response => response.Events.Count == 0);

        core.Persist();
        core.OutcomeOf(put)!.Value.Error.ShouldBe(CoordinatorError.None);
        core.Get("key").ShouldBe("");
        core.Watched[^1].Events.Count.ShouldBe(1);
    }

    [Fact]
    public void Every_term_publishes_its_leader_under_a_new_create_revision()
    {
        var first = new CoreDriver(term: 1);
        var before = first.State.Store.Get(StateMachine.ElectionKey).ShouldNotBeNull();
        var second = new CoreDriver(state: first.State, term: 2);
        var after = second.State.Store.Get(StateMachine.ElectionKey).ShouldNotBeNull();
        after.CreateRevision.ShouldBeGreaterThan(before.CreateRevision);
        after.Version.ShouldBe(1);
        after.Value.ToStringUtf8().ShouldBe("node-1");
    }

    [Fact]
    public void An_expired_lease_is_ended_by_one_entry_in_the_log()
    {
        var core = new CoreDriver();
        var lease = core.Grant(3);
        core.Put("node", "here", lease);
        core.Advance(2 * Second);
        core.Get("node").ShouldBe("here");

        core.DiskIsFast = false;
        core.Advance(5 * Second);
        core.Log.Count(command => command.KindCase == Command.KindOneofCase.LeaseExpire).ShouldBe(1);
        core.Get("node").ShouldBe("here");
        // Its end is decided: a late keep-alive does not bring it back.
        core.KeepAlive(lease).ShouldBe(0);

        core.Persist();
        core.Get("node").ShouldBeNull();
        core.State.Leases.Exists(lease).ShouldBeFalse();
    }

    [Fact]
    public void On_a_full_disk_writers_are_refused_and_leases_end_once_there_is_space()
    {
        var core = new CoreDriver();
        core.Put("node", "here", core.Grant(3));
        core.DiskIsFast = false;
        core.Advance(4 * Second);
        var put = core.Propose(PutCommand("key"));
        core.RefuseAppends();
        core.OutcomeOf(put)!.Value.Error.ShouldBe(CoordinatorError.NoSpace);
        core.Get("node").ShouldBe("here");

        core.DiskIsFast = true;
        core.Advance(Second);
        core.Get("node").ShouldBeNull();
        core.Get("key").ShouldBeNull();
        core.Put("key", "value");
    }

    [Fact]
    public void A_lease_that_is_kept_alive_does_not_end()
    {
        var core = new CoreDriver();
        var lease = core.Grant(3);
        for (var i = 0; i < 10; i++)
        {
            core.Advance(2 * Second);
            core.KeepAlive(lease).ShouldBe(3);
        }
        core.Advance(4 * Second);
        core.KeepAlive(lease).ShouldBe(0);
    }

    [Fact]
    public void A_lease_that_is_kept_alive_between_two_ticks_has_its_whole_time_from_then_on()
    {
        var core = new CoreDriver();
        var lease = core.Grant(3);
        core.Wait(TimeSpan.FromMilliseconds(90));
        core.KeepAlive(lease).ShouldBe(3);
        core.Wait(TimeSpan.FromMilliseconds(10));
        core.Advance(TimeSpan.FromMilliseconds(2_850));
        core.State.Leases.Exists(lease).ShouldBeTrue();
    }

    [Fact]
    public void A_coordinator_that_stood_still_takes_no_lease_for_expired()
    {
        var core = new CoreDriver();
        var lease = core.Grant(3);
        core.Stall(TimeSpan.FromMinutes(10));
        core.State.Leases.Exists(lease).ShouldBeTrue();
        core.KeepAlive(lease).ShouldBe(3);
    }

    [Fact]
    public void A_new_leader_grants_every_lease_its_full_time_once()
    {
        var core = new CoreDriver();
        var lease = core.Grant(10);
        core.Advance(9 * Second);
        var restarted = new CoreDriver(state: core.State, term: 2);
        restarted.Advance(9 * Second);
        restarted.State.Leases.Exists(lease).ShouldBeTrue();
        restarted.Advance(2 * Second);
        restarted.State.Leases.Exists(lease).ShouldBeFalse();
    }

    [Fact]
    public void A_new_leader_ends_no_lease_before_its_term_has_begun()
    {
        var core = new CoreDriver();
        var lease = core.Grant(3);
        core.Advance(2 * Second);
        // What a follower holds: a lease whose time it does not know, and has long been over by its own clock.
        var next = new CoreDriver(state: core.State, term: 2, begins: false);
        next.Advance(5 * Second);
        next.DiskIsFast = true;
        next.Persist();
        next.KeepAlive(lease).ShouldBe(3);
        next.Advance(2 * Second);
        next.State.Leases.Exists(lease).ShouldBeTrue();
    }

    [Fact]
    public void A_stream_that_does_not_read_gets_a_bounded_part_and_later_all_the_rest()
    {
        var core = new CoreDriver();
        core.Watch(stream: 1, "key");
        core.Watched.Clear();
        const int Changes = 5_000;
        for (var i = 0; i < Changes; i++)
        {
            core.Put("key", $"{i}");
        }
        var sent = core.Watched.Sum(response => response.Events.Count);
        sent.ShouldBe(WatchHub.MaximumEventsInFlight);

        for (var taken = 0; taken < core.Watched.Count; taken++)
        {
            var events = core.Watched[taken].Events.Count;
            core.Taken(stream: 1, events);
            (core.Watched.Sum(response => response.Events.Count) - core.Watched.Take(taken + 1)
                .Sum(response => response.Events.Count)).ShouldBeLessThan(WatchHub.MaximumEventsInFlight + 512);
        }
        core.Watched.SelectMany(response => response.Events).Select(change => change.Kv.Value.ToStringUtf8())
            .ShouldBe(Enumerable.Range(0, Changes).Select(i => $"{i}"));

        core.Put("key", "last");
        core.Watched[^1].Events.Single().Kv.Value.ToStringUtf8().ShouldBe("last");
    }

    [Fact]
    public void A_stream_that_is_slower_than_compaction_is_told_so()
    {
        var core = new CoreDriver();
        core.Watch(stream: 1, "key");
        for (var i = 0; i < 2_000; i++)
        {
            core.Put("key", $"{i}");
        }
        var compacted = core.State.Store.Revision;
        core.Do<CompactionResponse>(new Command { Compact = new CompactionRequest { Revision = compacted } });
        core.Taken(stream: 1, WatchHub.MaximumEventsInFlight);
        core.Watched[^1].Canceled.ShouldBeTrue();
        core.Watched[^1].CompactRevision.ShouldBe(compacted);
    }

    [Fact]
    public void A_stream_holds_a_bounded_number_of_watches()
    {
        var core = new CoreDriver();
        for (var i = 0; i < WatchHub.MaximumWatchersPerStream; i++)
        {
            core.Watch(stream: 1, $"key{i}");
        }
        core.Watched.ShouldAllBe(response => !response.Canceled);
        core.Watch(stream: 1, "one more");
        core.Watched[^1].Canceled.ShouldBeTrue();
        core.Watched[^1].CancelReason.ShouldContain("1024");
    }

    [Fact]
    public void History_is_compacted_by_itself_and_keeps_what_was_promised()
    {
        var core = new CoreDriver(new CoordinatorLimits { HistoryRevisions = 100 });
        for (var i = 0; i < 1_000; i++)
        {
            core.Put("key", $"{i}");
            core.Advance(TimeSpan.FromMilliseconds(100));
        }
        var store = core.State.Store;
        (store.Revision - store.CompactedRevision).ShouldBeInRange(100, 200);
        store.ChangesFrom(store.Revision - 99).Length.ShouldBe(100);
    }

    [Fact]
    public void History_of_large_changes_is_cut_sooner_so_that_writes_over_and_over_do_not_fill_the_store()
    {
        const int Value = 10_000;
        var core = new CoreDriver(new CoordinatorLimits { HistoryBytes = 40 * Value, StoreBytes = 400 * Value });
        for (var i = 0; i < 1_000; i++)
        {
            core.Put("key", new string('x', Value));
            core.Advance(TimeSpan.FromMilliseconds(100));
        }
        var store = core.State.Store;
        (store.Revision - store.CompactedRevision).ShouldBeInRange(38, 80);
        store.SizeBytes.ShouldBeLessThan(85 * Value);
        store.HistoryBytes.ShouldBe(store.ChangesFrom(store.CompactedRevision + 1).ToArray().Sum(r => r.SizeBytes));
        var (restored, content) = (new StateMachine(), SnapshotContent.Of(core.State));
        SnapshotContent.Restore(restored, content);
        restored.Store.HistoryBytes.ShouldBe(store.HistoryBytes);
    }

    [Fact]
    public void A_full_store_refuses_to_grow_and_can_be_emptied()
    {
        var core = new CoreDriver(new CoordinatorLimits { StoreBytes = 10_000 });
        while (core.State.Store.SizeBytes <= 10_000)
        {
            core.Put($"key-{core.State.Store.Revision}", "value");
        }
        var refused = core.OutcomeOf(core.Propose(PutCommand("one more")));
        refused!.Value.Error.ShouldBe(CoordinatorError.NoSpace);
        core.Figures.RefusedForSize.ShouldBe(1);
        core.Figures.StoreBytes.ShouldBeGreaterThan(core.Figures.StoreLimitBytes);

        core.Do<DeleteRangeResponse>(new Command
        {
            DeleteRange = new DeleteRangeRequest
            {
                Key = ByteString.CopyFromUtf8("key-"),
                RangeEnd = ByteString.CopyFromUtf8("key."),
            },
        });
        core.Do<CompactionResponse>(new Command
        {
            Compact = new CompactionRequest { Revision = core.State.Store.Revision },
        });
        core.Put("one more", "fits again");
    }

    [Fact]
    public void Snapshots_are_made_after_so_many_entries()
    {
        var core = new CoreDriver(new CoordinatorLimits { SnapshotEntries = 100 });
        for (var i = 0; i < 1_000; i++)
        {
            core.Put("key", $"{i}");
        }
        core.Snapshots.Count.ShouldBe(10);
        core.Snapshots.Select(snapshot => snapshot.Index).ShouldBeInOrder();
    }

    [Fact]
    public void A_state_put_back_from_its_snapshot_answers_like_the_first()
    {
        var core = new CoreDriver();
        var lease = core.Grant(60);
        for (var i = 0; i < 50; i++)
        {
            core.Put($"key-{i % 7}", $"{i}", i % 5 == 0 ? lease : 0);
        }
        core.Do<DeleteRangeResponse>(new Command
        {
            DeleteRange = new DeleteRangeRequest { Key = ByteString.CopyFromUtf8("key-3") },
        });
        core.Do<CompactionResponse>(new Command { Compact = new CompactionRequest { Revision = 30 } });
        core.Put("key-3", "again");

        var bytes = SnapshotContent.Of(core.State).ToByteArray();
        var restored = new StateMachine();
        SnapshotContent.Restore(restored, SnapshotState.Parser.ParseFrom(bytes));

        SnapshotContent.Of(restored).ToByteArray().ShouldBe(bytes);
        restored.Store.SizeBytes.ShouldBe(core.State.Store.SizeBytes);
        restored.Leases.Look(lease, TimeSpan.Zero)!.Value.Keys.ShouldBe(
            core.State.Leases.Look(lease, TimeSpan.Zero)!.Value.Keys);
        var again = new CoreDriver(state: restored, term: 2);
        again.Watch(stream: 1, "key-", from: 30);
        core.Watch(stream: 1, "key-", from: 30);
        again.Watched.SelectMany(response => response.Events).ShouldBe(
            core.Watched.SelectMany(response => response.Events));
    }

    [Fact]
    public void The_longest_lease_that_etcd_allows_does_not_overflow_the_clock()
    {
        var core = new CoreDriver();
        var lease = core.Grant(LeaseTable.MaximumSeconds);
        core.Advance(Second);
        core.KeepAlive(lease).ShouldBe(LeaseTable.MaximumSeconds);
    }
}
