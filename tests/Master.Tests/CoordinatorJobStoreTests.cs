using Hexcast.Contracts.V1;
using Hexcast.Coordination.Client;
using Hexcast.Master.Scheduling;
using Hexcast.Master.Storage;
using Hexcast.Master.Tests.Support;
using Hexcast.Platform.Errors;

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
        var loaded = await next.LoadAsync(fence, Cancel);

        loaded.Jobs.Select(j => j.JobId).ShouldBe(["a", "b"]);
        loaded.Tasks.Select(t => t.TaskId).ShouldBe(["probe"]);
    }

    [Fact]
    public async Task A_write_under_an_old_fence_is_rejected_by_the_store()
    {
        await using var node = await MasterNode.StartAsync();
        var (store, fence) = await OpenAsync(node);
        (await store.CommitAsync(fence - 1, [Job("a")], Cancel)).ShouldBeFalse();
        await Should.ThrowAsync<HexcastException>(() => store.LoadAsync(fence - 1, Cancel));
        (await store.LoadAsync(fence, Cancel)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_write_of_an_earlier_term_of_the_same_mastership_that_arrives_late_changes_nothing()
    {
        await using var node = await MasterNode.StartAsync();
        var (one, fence) = await OpenAsync(node);
        (await one.CommitAsync(fence, [Job("a")], Cancel)).ShouldBeTrue();
        var (other, _) = await OpenAsync(node);
        (await one.CommitAsync(fence, [Job("b")], Cancel)).ShouldBeFalse("the other has read that there is none");
        (await other.CommitAsync(fence, [Job("a"), Job("b")], Cancel)).ShouldBeTrue();
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
        var fence = (await node.Coordinator.GetAsync(CoordinatorClient.ElectionKey, Cancel))!.CreateRevision;
        await store.LoadAsync(fence, Cancel);
        return (store, fence);
    }

    private static RecordWrite Job(string id) => RecordWrite.Of(new JobRecord { JobId = id });

    private static RecordWrite Task(string job, string task) =>
        RecordWrite.Of(new TaskRecord { JobId = job, TaskId = task });

    private static RecordWrite Delete(RecordWrite write) => write with { Value = null };
}
