using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;
using Hexcast.Master.Tests.Support;

namespace Hexcast.Master.Tests;

/// <summary>The store on a real coordinator: who may write, and what a reader finds.</summary>
public sealed class CoordinatorJobStoreTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_committed_is_loaded_by_the_next_master()
    {
        await using var node = await MasterNode.StartAsync();
        var (store, fence) = await OpenAsync(node);
        (await store.CommitAsync(fence, [Job("a"), Task("a", "probe"), Task("a", "audio")], Cancel)).ShouldBeTrue();
        (await store.CommitAsync(fence, [Job("b"), Delete(Task("a", "audio"))], Cancel)).ShouldBeTrue();

        var (next, _) = await OpenAsync(node);
        var loaded = await next.LoadAsync(Cancel);

        loaded.Jobs.Select(j => j.JobId).ShouldBe(["a", "b"]);
        loaded.Tasks.Select(t => t.TaskId).ShouldBe(["probe"]);
    }

    [Fact]
    public async Task A_write_under_an_old_fence_is_rejected_by_the_store()
    {
        await using var node = await MasterNode.StartAsync();
        var (store, fence) = await OpenAsync(node);
        (await store.CommitAsync(fence - 1, [Job("a")], Cancel)).ShouldBeFalse();
        (await store.LoadAsync(Cancel)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_record_that_somebody_else_has_written_is_not_overwritten()
    {
        await using var node = await MasterNode.StartAsync();
        var (one, fence) = await OpenAsync(node);
        var (other, _) = await OpenAsync(node);
        (await one.CommitAsync(fence, [Job("a")], Cancel)).ShouldBeTrue();
        (await other.CommitAsync(fence, [Job("a")], Cancel)).ShouldBeFalse("it has not read what the first wrote");
        await other.LoadAsync(Cancel);
        (await other.CommitAsync(fence, [Job("a")], Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_full_batch_fits_into_one_transaction()
    {
        await using var node = await MasterNode.StartAsync();
        var (store, fence) = await OpenAsync(node);
        (await store.CommitAsync(fence, [.. Enumerable.Range(0, 100).Select(i => Job($"j{i}"))], Cancel))
            .ShouldBeTrue();
    }

    private static async Task<(CoordinatorJobStore Store, long Fence)> OpenAsync(MasterNode node)
    {
        var store = new CoordinatorJobStore(node.Coordinator);
        await store.LoadAsync(Cancel);
        return (store, (await node.Coordinator.GetAsync(CoordinatorClient.ElectionKey, Cancel))!.CreateRevision);
    }

    private static RecordWrite Job(string id) => RecordWrite.Of(new JobRecord { JobId = id });

    private static RecordWrite Task(string job, string task) =>
        RecordWrite.Of(new TaskRecord { JobId = job, TaskId = task });

    private static RecordWrite Delete(RecordWrite write) => write with { Value = null };
}
