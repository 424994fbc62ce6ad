using Google.Protobuf;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Mvcc;
using Hexcast.Raft;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>What takes as long as there are keys is done in pieces; nobody sees that.</summary>
public sealed class LargeStoreTests
{
    private const int Keys = 3_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Keys_are_counted_as_they_would_be_found(int seed)
    {
        var random = new Random(seed);
        var store = new MvccStore();
        for (var i = 0; i < 10_000; i++)
        {
            Write(store, random);
            if (i % 2_500 == 2_499)
            {
                store.Compact(store.Revision - random.Next(1_000)).ShouldBe(CoordinatorError.None);
            }
            if (i % 100 == 99)
            {
                var range = KeyRange.Of(Key(random), random.Next(5) == 0 ? MvccStore.FirstKey : Key(random));
                var revision = random.NextInt64(store.CompactedRevision, store.Revision + 1);
                store.Count(range, revision).ShouldBe(store.Range(range, revision).Count());
                store.Count(range, store.Revision).ShouldBe(store.Range(range, store.Revision).Count());
            }
        }
    }

    [Fact]
    public void A_snapshot_is_of_the_moment_when_it_began_whatever_is_written_and_compacted_meanwhile()
    {
        var random = new Random(4);
        var state = new StateMachine();
        for (var i = 0; i < 10_000; i++)
        {
            Write(state.Store, random);
        }
        state.Store.Compact(state.Store.Revision - 2_000);
        var expected = SnapshotContent.Of(state).ToByteArray();

        var making = new SnapshotMaking(state, new SnapshotMark(0, 0, Raft.Members.None));
        var made = making.Advance(10);
        for (var steps = 1; made is null; steps++)
        {
            Write(state.Store, random);
            if (steps % 50 == 0)
            {
                state.Store.Compact(state.Store.Revision - 10);
                state.Store.Clean(1_000);
            }
            made = making.Advance(10);
            steps.ShouldBeLessThan(10_000);
        }

        made.State.ToByteArray().ShouldBe(expected);
    }

    [Fact]
    public void What_a_compaction_lets_go_of_in_pieces_is_in_the_end_as_if_it_had_never_been()
    {
        var random = new Random(5);
        var state = new StateMachine();
        for (var i = 0; i < 30_000; i++)
        {
            Write(state.Store, random);
        }
        var before = state.Store.SizeBytes;
        var compacted = state.Store.Revision - 100;
        state.Store.Compact(compacted);
        var atOnce = state.Store.SizeBytes;
        atOnce.ShouldBeLessThan(before);
        state.Store.ChangesFrom(compacted)[0].Revision.ShouldBe(compacted, "the revision itself stays watchable");
        for (var i = 0; i < 1_000; i++)
        {
            state.Store.Clean(100);
        }

        state.Store.SizeBytes.ShouldBeLessThan(atOnce, "the rest went in pieces");
        var restored = new StateMachine();
        SnapshotContent.Restore(restored, SnapshotContent.Of(state));
        state.Store.SizeBytes.ShouldBe(restored.Store.SizeBytes);
        state.Store.ChangesFrom(0).ToArray().Select(change => change.Revision)
            .ShouldBe(restored.Store.ChangesFrom(0).ToArray().Select(change => change.Revision));
    }

    private static ByteString Key(Random random) => ByteString.CopyFromUtf8($"key-{random.Next(Keys):D4}");

    private static void Write(MvccStore store, Random random)
    {
        store.Begin();
        if (random.Next(3) == 0)
        {
            store.Delete(KeyRange.Of(Key(random), ByteString.Empty));
        }
        else
        {
            store.Put(Key(random), ByteString.CopyFromUtf8($"{random.Next()}"), lease: 0);
        }
        store.Commit();
    }
}
