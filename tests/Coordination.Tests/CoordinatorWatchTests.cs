using Hexcast.Coordination.Client;

namespace Hexcast.Coordination.Tests;

public sealed class CoordinatorWatchTests
{
    [Fact]
    public async Task A_snapshot_that_is_refused_for_now_is_asked_for_again()
    {
        var refusals = new Queue<CoordinatorError>(
            [CoordinatorError.TooManyRequests, CoordinatorError.Compacted, CoordinatorError.Unavailable]);
        // The stream is opened behind the snapshot, so this test needs none.
        var watch = new CoordinatorWatch(watches: null!, ReadAsync, TimeProvider.System, "/");

        await using var batches = watch.ReadAsync(0, TestContext.Current.CancellationToken).GetAsyncEnumerator();
        (await batches.MoveNextAsync()).ShouldBeTrue();
        batches.Current.ShouldBeOfType<WatchBatch.Resync>().Revision.ShouldBe(7);

        Task<CoordinatorRange> ReadAsync(string prefix, CancellationToken cancel) =>
            refusals.TryDequeue(out var refusal)
                ? throw new CoordinatorException(refusal, "not now")
                : Task.FromResult(new CoordinatorRange(7, []));
    }
}
