using System.Globalization;
using Google.Protobuf;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Tests.Servers;

namespace Hexcast.Coordination.Tests.Embedded;

public sealed class CrashTests
{
    private const int Rounds = 10;

    private const int Writers = 8;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>One writer: it counts up in two keys at once, and knows what it was told and what it asked.</summary>
    private sealed class Writer(int number)
    {
        public string First { get; } = $"/writers/{number}/a";

        public string Second { get; } = $"/writers/{number}/b";

        public long Asked { get; private set; }

        public long Acknowledged { get; private set; }

        public async Task WriteUntilDeadAsync(CoordinatorClient client, Action acknowledged)
        {
            // What the last life wrote without an answer may or may not be there.
            Asked = Acknowledged = await ReadAsync(client);
            while (true)
            {
                Asked++;
                var value = ByteString.CopyFromUtf8(Asked.ToString(CultureInfo.InvariantCulture));
                try
                {
                    await client.TxnAsync(
                        [], [Operation.Put(First, value), Operation.Put(Second, value)], Cancellation);
                }
                catch (CoordinatorException)
                {
                    return;
                }
                Acknowledged = Asked;
                acknowledged();
            }
        }

        public async Task<long> ReadAsync(CoordinatorClient client)
        {
            var first = await client.GetAsync(First, Cancellation);
            var second = await client.GetAsync(Second, Cancellation);
            first?.Value.ShouldBe(second?.Value, "half of a transaction is there");
            return first is null ? 0 : long.Parse(first.Value.ToStringUtf8(), CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_when_the_process_is_killed_under_load()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(20_261_122);
        var writers = Enumerable.Range(0, Writers).Select(number => new Writer(number)).ToList();
        long lastFence = 0;
        for (var round = 0; round < Rounds; round++)
        {
            using var coordinator = await ChildCoordinator.StartAsync(folder.Path);
            var client = coordinator.Client;

            var fence = (await client.GetAsync(CoordinatorClient.ElectionKey, Cancellation))!.CreateRevision;
            fence.ShouldBeGreaterThan(lastFence);
            lastFence = fence;
            foreach (var writer in writers)
            {
                (await writer.ReadAsync(client)).ShouldBeInRange(writer.Acknowledged, writer.Asked, $"round {round}");
            }

            var killAfter = random.Next(1, 600);
            var count = 0;
            await Task.WhenAll(writers.Select(writer => writer.WriteUntilDeadAsync(client, () =>
            {
                if (Interlocked.Increment(ref count) == killAfter)
                {
                    coordinator.Kill();
                }
            })));
        }
    }

    [Fact]
    public async Task A_watch_goes_on_over_a_restart_and_leaves_nothing_out()
    {
        using var folder = new TemporaryFolder();
        var seen = new List<string>();
        long from;
        using (var first = await ChildCoordinator.StartAsync(folder.Path))
        {
            from = await first.Client.PutAsync("/watched", ByteString.CopyFromUtf8("1"), Cancellation);
            await first.Client.PutAsync("/watched", ByteString.CopyFromUtf8("2"), Cancellation);
        }
        using var second = await ChildCoordinator.StartAsync(folder.Path);
        await second.Client.PutAsync("/watched", ByteString.CopyFromUtf8("3"), Cancellation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        await foreach (var batch in second.Client.WatchAsync("/watched", from, limit.Token))
        {
            seen.AddRange(batch.ShouldBeOfType<WatchBatch.Changes>().Events
                .Select(change => change.KeyValue.Value.ToStringUtf8()));
            if (seen.Count == 3)
            {
                break;
            }
        }
        seen.ShouldBe(["1", "2", "3"]);
    }
}
