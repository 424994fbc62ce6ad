using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded.Mvcc;

namespace Hexcast.Coordination.Tests.Embedded;

/// <summary>The store against a model that keeps a copy of everything at every revision.</summary>
public sealed class MvccStoreTests
{
    private sealed record Value(string Text, long Create, long Mod, long Version);

    private sealed class Model
    {
        private readonly List<SortedDictionary<string, Value>> _past =
            [new(StringComparer.Ordinal), new(StringComparer.Ordinal)];

        public long Revision => _past.Count - 1;

        public SortedDictionary<string, Value> At(long revision) => _past[(int)revision];

        public void Put(string key, string text) => Change(next =>
        {
            var old = next.GetValueOrDefault(key);
            var revision = Revision + 1;
            next[key] = new Value(text, old?.Create ?? revision, revision, (old?.Version ?? 0) + 1);
        });

        public int Delete(string key, string end)
        {
            var doomed = In(Revision, key, end).Select(pair => pair.Key).ToList();
            if (doomed.Count > 0)
            {
                Change(next => doomed.ForEach(name => next.Remove(name)));
            }
            return doomed.Count;
        }

        public IEnumerable<KeyValuePair<string, Value>> In(long revision, string key, string end) =>
            At(revision).Where(pair => end.Length == 0
                ? pair.Key == key
                : string.CompareOrdinal(pair.Key, key) >= 0 && string.CompareOrdinal(pair.Key, end) < 0);

        private void Change(Action<SortedDictionary<string, Value>> change)
        {
            var next = new SortedDictionary<string, Value>(_past[^1], StringComparer.Ordinal);
            change(next);
            _past.Add(next);
        }
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    private static string[] Describe(IEnumerable<KeyValue> values) =>
    [
        .. values.Select(value => $"{value.Key.ToStringUtf8()}={value.Value.ToStringUtf8()} " +
            $"{value.CreateRevision} {value.ModRevision} {value.Version}"),
    ];

    private static string[] Describe(IEnumerable<KeyValuePair<string, Value>> values) =>
    [
        .. values.Select(pair => $"{pair.Key}={pair.Value.Text} " +
            $"{pair.Value.Create} {pair.Value.Mod} {pair.Value.Version}"),
    ];

    private static string Name(Random random) => $"k{random.Next(12)}";

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 100)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_store_answers_like_the_model(int seed)
    {
        var random = new Random(seed);
        var (store, model) = (new MvccStore(), new Model());
        for (var step = 0; step < 300; step++)
        {
            var (key, end) = (Name(random), random.Next(3) == 0 ? Name(random) : "");
            switch (random.Next(10))
            {
                case < 5:
                    store.Begin();
                    store.Put(Bytes(key), Bytes($"{step}"), lease: 0);
                    store.Commit().ShouldNotBeNull();
                    model.Put(key, $"{step}");
                    break;
                case < 7:
                    store.Begin();
                    var deleted = store.Delete(KeyRange.Of(Bytes(key), Bytes(end))).Count;
                    store.Commit();
                    deleted.ShouldBe(model.Delete(key, end), $"step {step}");
                    break;
                case 7 when random.Next(8) == 0 && store.Revision > store.CompactedRevision + 1:
                    store.Compact(random.NextInt64(store.CompactedRevision + 1, store.Revision + 1))
                        .ShouldBe(CoordinatorError.None);
                    break;
                default:
                    var revision = random.NextInt64(Math.Max(1, store.CompactedRevision), store.Revision + 1);
                    Describe(store.Range(KeyRange.Of(Bytes(key), Bytes(end)), revision))
                        .ShouldBe(Describe(model.In(revision, key, end)), $"step {step}, revision {revision}");
                    break;
            }
            store.Revision.ShouldBe(model.Revision);
        }
        ReplayedHistoryGivesThePresent(store, model);
    }

    /// <summary>What a watch is given since the compaction, applied to what was there then, is what is there
    /// now.</summary>
    private static void ReplayedHistoryGivesThePresent(MvccStore store, Model model)
    {
        var from = Math.Max(1, store.CompactedRevision);
        var keys = model.At(from).ToDictionary(pair => pair.Key, pair => pair.Value.Text, StringComparer.Ordinal);
        foreach (var revision in store.ChangesFrom(from + 1))
        {
            foreach (var change in revision.Changes)
            {
                var key = change.Current.Key.ToStringUtf8();
                change.Previous?.Value.ToStringUtf8().ShouldBe(keys.GetValueOrDefault(key));
                if (change.Type == Event.Types.EventType.Put)
                {
                    keys[key] = change.Current.Value.ToStringUtf8();
                }
                else
                {
                    keys.Remove(key).ShouldBeTrue();
                }
            }
        }
        var present = model.At(model.Revision).Select(pair => $"{pair.Key}={pair.Value.Text}");
        keys.Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal)
            .ShouldBe(present.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Compaction_gives_back_the_memory_of_what_it_forgets()
    {
        var store = new MvccStore();
        for (var i = 0; i < 1_000; i++)
        {
            store.Begin();
            store.Put(Bytes($"key-{i % 10}"), Bytes(new string('x', 1_000)), lease: 0);
            store.Commit();
        }
        store.SizeBytes.ShouldBeGreaterThan(1_000_000);
        store.Compact(store.Revision);
        store.SizeBytes.ShouldBeLessThan(20_000);
        store.Begin();
        store.Delete(KeyRange.Of(Bytes("key-"), Bytes("key.")));
        store.Commit();
        store.Compact(store.Revision);
        store.SizeBytes.ShouldBe(0);
    }
}
