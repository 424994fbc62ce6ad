using System.Net;
using Dapper;
using Grpc.Core;
using Hexcast.Catalog.Delivery;
using Hexcast.Contracts.V1;
using Hexcast.Platform.ObjectStore;
using Hexcast.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Hexcast.Catalog.Tests;

public sealed class OutboxTests : CatalogFixture
{
    [Fact]
    public async Task An_upload_that_is_told_twice_is_one_media_and_one_order()
    {
        var request = await RequestAsync();
        var first = await Client.CompleteUploadAsync(request);
        await StateAsync(request.MediaId, "processing");
        var second = await Client.CompleteUploadAsync(request);
        second.Media.CreatedAt.ShouldBe(first.Media.CreatedAt);
        await EmptyAsync();
        Master.Orders.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Other_content_under_a_known_id_is_refused()
    {
        var request = await RequestAsync();
        await Client.CompleteUploadAsync(request);
        request.Source.Sha256 = Google.Protobuf.ByteString.CopyFrom(new byte[32]);
        var refused = await Should.ThrowAsync<RpcException>(async () => await Client.CompleteUploadAsync(request));
        refused.StatusCode.ShouldBe(StatusCode.Aborted);
    }

    [Fact]
    public async Task A_source_that_is_not_there_is_refused()
    {
        var request = await RequestAsync();
        await Objects.DeleteAsync(request.Source.Key, CancellationToken.None);
        var refused = await Should.ThrowAsync<RpcException>(async () => await Client.CompleteUploadAsync(request));
        refused.StatusCode.ShouldBe(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task An_order_whose_answer_is_lost_is_given_again_and_is_one_job()
    {
        Master.AnswersToLose = 2;
        var mediaId = await UploadAsync();
        await StateAsync(mediaId, "processing");
        Master.Orders.Count.ShouldBe(3);
        Store.Find(mediaId)!.JobId.ShouldBe(Master.Job(mediaId).JobId);
    }

    [Fact]
    public async Task An_order_waits_for_the_master_also_over_a_restart()
    {
        Master.Refusal = StatusCode.Unavailable;
        var mediaId = await UploadAsync();
        ((string)(await GetAsync(mediaId))["state"]!).ShouldBe("uploaded");
        await ReopenAsync();
        await StateAsync(mediaId, "processing");
    }

    [Fact]
    public async Task A_full_queue_is_tried_again()
    {
        Master.Refusal = StatusCode.ResourceExhausted;
        var mediaId = await UploadAsync();
        Master.Refusal = StatusCode.OK;
        await StateAsync(mediaId, "processing");
    }

    [Fact]
    public async Task An_order_that_will_never_be_taken_fails_the_media()
    {
        Master.Refusal = StatusCode.InvalidArgument;
        var mediaId = await UploadAsync();
        var media = await StateAsync(mediaId, "failed");
        ((string)media["error"]!["code"]!).ShouldBe("invalid_argument");
        await EmptyAsync();
    }

    [Fact]
    public async Task A_deleted_media_is_gone_at_once_and_then_its_job_and_objects()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        await StateAsync(mediaId, "playable");
        Master.Refusal = StatusCode.Unavailable;

        using (var deleted = await Http.DeleteAsync($"/v1/media/{mediaId}"))
        {
            deleted.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        using (var gone = await Http.GetAsync($"/v1/media/{mediaId}"))
        {
            gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        // No object goes while a worker may still write beside it.
        (await Objects.StatAsync(ObjectKey.Source(mediaId), CancellationToken.None)).ShouldNotBeNull();
        Master.Refusal = StatusCode.OK;
        await EmptyAsync();
        Master.Forgotten.Single().ShouldBe(mediaId);
        (await Objects.ListAsync("", CancellationToken.None).ToListAsync()).ShouldBeEmpty();
        foreach (var table in new[] { "media", "media_fts", "media_tag", "version", "version_part" })
        {
            Store.Read(c => c.ExecuteScalar<long>($"SELECT count(*) FROM {table}")).ShouldBe(0, table);
        }
    }

    [Fact]
    public async Task A_deleted_media_does_not_come_back_when_its_upload_is_told_again()
    {
        var request = await RequestAsync();
        await Client.CompleteUploadAsync(request);
        using (await Http.DeleteAsync($"/v1/media/{request.MediaId}"))
        {
        }

        await EmptyAsync();
        var refused = await Should.ThrowAsync<RpcException>(async () => await Client.CompleteUploadAsync(request));
        refused.StatusCode.ShouldBe(StatusCode.NotFound);
    }

    [Fact]
    public async Task No_order_waits_for_a_delete_that_the_master_cannot_finish()
    {
        var (stuck, _) = await OrderAsync();
        var release = new TaskCompletionSource();
        Master.OnForget = (_, cancel) => release.Task.WaitAsync(cancel);
        await DeleteAsync(stuck);
        await OrderAsync();
        Master.Forgotten.ShouldBeEmpty();
        release.SetResult();
        await EmptyAsync();
    }

    [Fact]
    public async Task A_delete_that_takes_too_long_holds_up_no_other()
    {
        var (stuck, _) = await OrderAsync();
        var (other, _) = await OrderAsync();
        Master.OnForget = (mediaId, _) => mediaId == stuck
            ? throw new RpcException(new Status(StatusCode.DeadlineExceeded, "a worker is still at it"))
            : Task.CompletedTask;
        await DeleteAsync(stuck);
        await DeleteAsync(other);
        await Eventually.HoldsAsync(() => Master.Forgotten.Contains(other), "the other delete is held up");
        Master.OnForget = (_, _) => Task.CompletedTask;
        await EmptyAsync();
        Master.Forgotten.ShouldBe([other, stuck]);
    }

    [Fact]
    public async Task A_delete_is_told_after_its_medias_order()
    {
        var release = new TaskCompletionSource();
        Master.OnOrder = cancel => release.Task.WaitAsync(cancel);
        var mediaId = await UploadAsync();
        await Eventually.HoldsAsync(() => Master.Orders.Count == 1, "the order has not begun");
        await DeleteAsync(mediaId);
        var marker = await UploadAsync("other.mp4");
        await DeleteAsync(marker);
        Store.Read(connection => OutboxTable.Heads(connection, OutboxKinds.Deleted, 0, 10)).ShouldBeEmpty();
        release.SetResult();
        await EmptyAsync();
        Master.Forgotten.ShouldBe([mediaId, marker], ignoreOrder: true);
    }

    [Fact]
    public async Task A_stop_in_the_midst_of_a_delivery_is_no_failure()
    {
        Master.OnOrder = cancel => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
        using var dispatcher = ActivatorUtilities.CreateInstance<OutboxDispatcher>(
            Node.Get<IServiceProvider>(), OutboxKinds.Uploaded);
        await UploadAsync();
        await dispatcher.StartAsync(CancellationToken.None);
        // The node's own dispatcher gives it too.
        await Eventually.HoldsAsync(() => Master.Orders.Count == 2, "the delivery has not begun");
        await dispatcher.StopAsync(CancellationToken.None);
        dispatcher.ExecuteTask!.IsCompletedSuccessfully.ShouldBeTrue();
    }

    private async Task DeleteAsync(string mediaId)
    {
        using var deleted = await Http.DeleteAsync($"/v1/media/{mediaId}");
        deleted.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    private Task EmptyAsync() => Eventually.HoldsAsync(
        () => Store.Read(connection => connection.ExecuteScalar<long>("SELECT count(*) FROM outbox")) == 0,
        "the outbox is not empty");
}
