using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Conformance;

public sealed class EtcdClientTests(EtcdServer server) : ClientConformance(server), IClassFixture<EtcdServer>;

[Collection(nameof(EtcdTrio))]
public sealed class TrioClientTests(EtcdTrio server) : ClientConformance(server);

public sealed class EmbeddedClientTests(EmbeddedServer server)
    : ClientConformance(server), IClassFixture<EmbeddedServer>;

public sealed class GroupClientTests(GroupServer server) : ClientConformance(server), IClassFixture<GroupServer>;

/// <summary>The client that roles use, against both.</summary>
public abstract class ClientConformance(CoordinatorServer server) : ConformanceSuite(server)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private CoordinatorClient Client => Server.Client;

    private static async Task<List<WatchBatch>> TakeAsync(
        IAsyncEnumerable<WatchBatch> batches, Func<List<WatchBatch>, bool> enough)
    {
        using var limit = new CancellationTokenSource(Limit);
        var taken = new List<WatchBatch>();
        await foreach (var batch in batches.WithCancellation(limit.Token))
        {
            taken.Add(batch);
            if (enough(taken))
            {
                break;
            }
        }
        return taken;
    }

    private static string[] Values(IEnumerable<WatchBatch> batches) =>
    [
        .. batches.OfType<WatchBatch.Changes>().SelectMany(batch => batch.Events)
            .Select(change => change.KeyValue.Value.ToStringUtf8()),
    ];

    [Fact]
    public async Task A_large_range_is_read_in_pages_at_one_revision()
    {
        // More than a message may hold (4 MiB), and more keys than a page.
        var value = ByteString.CopyFrom(new byte[20_000]);
        foreach (var chunk in Enumerable.Range(0, 300).Chunk(50))
        {
            await Client.TxnAsync([], chunk.Select(i => Operation.Put($"{Prefix}{i:d3}", value)), Cancellation);
        }
        var range = await Client.RangeAsync(Prefix, Cancellation);
        range.KeyValues.Select(pair => pair.Key).ShouldBe(Enumerable.Range(0, 300).Select(i => $"{Prefix}{i:d3}"));
        range.KeyValues.ShouldAllBe(pair => pair.Value.Length == 20_000);
    }

    [Fact]
    public async Task A_transaction_is_guarded_by_fence_and_revision()
    {
        var fence = await Client.PutAsync(Prefix + "fence", Text("me"), Cancellation);
        var job = await Client.PutAsync(Prefix + "job", Text("1"), Cancellation);
        Compare[] guards =
        [
            Compare.CreateRevision(Prefix + "fence").EqualTo(fence),
            Compare.ModRevision(Prefix + "job").EqualTo(job),
            Compare.Missing(Prefix + "task"),
            Compare.Exists(Prefix + "job"),
            Compare.ValueEquals(Prefix + "fence", Text("me")),
            Compare.Version(Prefix + "job").LessThan(2),
        ];
        Operation[] success =
        [
            Operation.Put(Prefix + "job", Text("2")),
            Operation.Put(Prefix + "task", Text("t")),
        ];
        Operation[] failure = [Operation.Get(Prefix + "job")];
        (await Client.TxnAsync(guards, success, failure, Cancellation)).Succeeded.ShouldBeTrue();

        var second = await Client.TxnAsync(guards, success, failure, Cancellation);
        second.Succeeded.ShouldBeFalse();
        second.Results.Single().KeyValues.Single().Value.ToStringUtf8().ShouldBe("2");
    }

    [Fact]
    public async Task Errors_have_names()
    {
        async Task<CoordinatorError> ErrorOf(Func<Task> call) =>
            (await Should.ThrowAsync<CoordinatorException>(call)).Error;

        (await ErrorOf(() => Client.PutAsync("", Text("x"), Cancellation))).ShouldBe(CoordinatorError.EmptyKey);
        (await ErrorOf(() => Client.PutAsync(Prefix, Text("x"), Cancellation, leaseId: 99)))
            .ShouldBe(CoordinatorError.LeaseNotFound);
        (await ErrorOf(() => Client.PutAsync(Prefix, ByteString.CopyFrom(new byte[2_000_000]), Cancellation)))
            .ShouldBe(CoordinatorError.RequestTooLarge);
        (await ErrorOf(() => Client.CompactAsync(1_000_000_000, Cancellation)))
            .ShouldBe(CoordinatorError.FutureRevision);
        var twice = Operation.Put(Prefix, Text("x"));
        (await ErrorOf(() => Client.TxnAsync([], [twice, twice], Cancellation)))
            .ShouldBe(CoordinatorError.DuplicateKey);
    }

    [Fact]
    public async Task A_watch_from_nothing_begins_with_what_is_there()
    {
        await Put("a", "1");
        await Put("b", "2");
        var batches = Client.WatchAsync(Prefix, fromRevision: 0, Cancellation);
        var taken = await TakeAsync(batches, all =>
        {
            if (all.Count == 1)
            {
                Put("c", "3").GetAwaiter().GetResult();
            }
            return all.Count == 2;
        });
        taken[0].ShouldBeOfType<WatchBatch.Resync>().KeyValues.Select(pair => pair.Value.ToStringUtf8())
            .ShouldBe(["1", "2"]);
        var change = taken[1].ShouldBeOfType<WatchBatch.Changes>().Events.Single();
        change.KeyValue.Key.ShouldBe(Prefix + "c");
        taken[1].Revision.ShouldBe(change.KeyValue.ModRevision);
    }

    [Fact]
    public async Task A_watch_below_the_compacted_revision_resyncs_and_then_goes_on()
    {
        var from = await Put("a", "1");
        await Put("a", "2");
        await Put("b", "3");
        await Delete("b");
        var last = await Put("a", "4");
        await Client.CompactAsync(last, Cancellation);
        var taken = await TakeAsync(Client.WatchAsync(Prefix, from, Cancellation), all =>
        {
            if (all.Count == 1)
            {
                Put("a", "5").GetAwaiter().GetResult();
            }
            return all.Count == 2;
        });
        var resync = taken[0].ShouldBeOfType<WatchBatch.Resync>();
        resync.KeyValues.Single().Value.ToStringUtf8().ShouldBe("4");
        resync.Revision.ShouldBeGreaterThanOrEqualTo(last);
        Values(taken).ShouldBe(["5"]);
    }

    [Fact]
    public async Task A_watch_from_a_revision_yields_every_change_once_and_in_order()
    {
        var from = await Put("key", "0");
        var large = new string('x', 2_000);
        for (var i = 1; i < 1_000; i++)
        {
            await Put("key", $"{i} {large}");
        }
        var taken = await TakeAsync(Client.WatchAsync(Prefix, from, Cancellation), all => Values(all).Length == 1_000);
        Values(taken).Select(value => value.Split(' ')[0]).ShouldBe(Enumerable.Range(0, 1_000).Select(i => $"{i}"));
    }

    [Fact]
    public async Task A_lease_is_kept_alive_until_it_is_disposed_of()
    {
        // Outlived by the other one only if that is kept alive, also where this machine stands still for a while.
        var forgotten = await Client.GrantLeaseIdAsync(TimeSpan.FromSeconds(5), Cancellation);
        await Client.PutAsync(Prefix + "forgotten", Text("x"), Cancellation, forgotten.Id);
        await using (var lease = await Client.GrantLeaseAsync(TimeSpan.FromSeconds(4), Cancellation))
        {
            await Client.PutAsync(Prefix + "kept", Text("x"), Cancellation, lease.Id);
            var batches = Client.WatchAsync(Prefix, fromRevision: 0, Cancellation);
            var taken = await TakeAsync(batches, all => all.OfType<WatchBatch.Changes>().Any());
            var ended = taken.OfType<WatchBatch.Changes>().Single().Events.Single();
            (ended.Kind, ended.KeyValue.Key).ShouldBe((WatchEventKind.Delete, Prefix + "forgotten"));
            (await Client.GetAsync(Prefix + "kept", Cancellation)).ShouldNotBeNull();
            lease.Lost.IsCancellationRequested.ShouldBeFalse();
        }
        (await Client.GetAsync(Prefix + "kept", Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task The_holder_of_a_lease_learns_that_it_was_revoked()
    {
        await using var lease = await Client.GrantLeaseAsync(TimeSpan.FromSeconds(2), Cancellation);
        await Client.RevokeLeaseAsync(lease.Id, Cancellation);
        var lost = new TaskCompletionSource();
        await using var registration = lease.Lost.Register(lost.SetResult);
        await lost.Task.WaitAsync(Limit, Cancellation);
    }
}
