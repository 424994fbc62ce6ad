using Grpc.Core;
using Hexcast.Catalog.Versions;
using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Tests;

public sealed class FollowTests : CatalogFixture
{
    [Fact]
    public void Versions_beyond_what_the_master_can_tell_of_wait_until_others_have_ended()
    {
        string[] versions = [.. Enumerable.Range(0, JobFollowers.MaxFollowed + 2).Select(i => $"{i:00000}")];

        JobFollowers.ToStart(versions, []).ShouldBe(versions[..^2]);
        JobFollowers.ToStart(versions, versions[..^2]).ShouldBeEmpty();
        JobFollowers.ToStart(versions, versions[1..^2]).ShouldBe(versions[..1]);
    }

    [Fact]
    public async Task An_upload_is_ordered_becomes_playable_and_then_ready()
    {
        var mediaId = await UploadAsync("holiday.mp4");
        var media = await StateAsync(mediaId, "processing");
        ((string)media["title"]!).ShouldBe("holiday");
        var order = Master.Orders.Single();
        order.PresetName.ShouldBe("ladder_h264_aac");
        order.Preset.ShouldContain("max_bitrate_kbps", Case.Sensitive, "the master need not have it");
        order.Tenant.ShouldBe("default");
        Master.Orders.Single().SourceKey.ShouldBe($"sources/{mediaId}");
        var job = Master.Job(mediaId);

        Plan(job, chunks: 3, audio: true);
        await CommitAudioAsync(mediaId, job, segments: 5);
        await CommitChunkAsync(mediaId, job, 0);
        media = await StateAsync(mediaId, "playable");
        ((string)media["version"]!).ShouldBe(job.JobId);
        ((string)media["source"]!["video_codec"]!).ShouldBe("h264");
        var index = await IndexAsync(mediaId);
        index.Tenant.ShouldBe("default");
        index.Complete.ShouldBeFalse();
        index.DurationSeconds.ShouldBe(20);
        index.Renditions.Select(r => r.Id).ShouldBe(["h264-720", "h264-360", "aac-128"]);
        index.Renditions.ShouldAllBe(r => r.Parts.Sum(p => p.Lengths.Count) == 1);

        // Chunk 2 before chunk 1: what lies behind the gap is not shown.
        await CommitChunkAsync(mediaId, job, 2);
        await CaughtUpAsync(job);
        Segments(await IndexAsync(mediaId)).ShouldBe(1);
        await CommitChunkAsync(mediaId, job, 1);
        await CaughtUpAsync(job);
        Segments(await IndexAsync(mediaId)).ShouldBe(5);

        End(job, JobState.Done);
        media = await StateAsync(mediaId, "ready");
        (await IndexAsync(mediaId)).Complete.ShouldBeTrue();
        var renditions = media["renditions"]!.AsArray();
        renditions.Count.ShouldBe(3);
        ((int)renditions[0]!["segments"]!).ShouldBe(5);
        renditions[0]!["channels"].ShouldBeNull();
        renditions[0]!["width"].ShouldNotBeNull();
        renditions[2]!["width"].ShouldBeNull();
        renditions[2]!["frame_rate"].ShouldBeNull();
        renditions[2]!["channels"].ShouldNotBeNull();
        ((long)renditions[0]!["average_bitrate"]!).ShouldBe(200);
        media["playable_at"].ShouldNotBeNull();
    }

    [Fact]
    public async Task A_version_is_played_for_the_first_time_once()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        await StateAsync(mediaId, "playable");
        (await IndexAsync(mediaId)).Played.ShouldBeFalse();

        var play = new NotePlayRequest { Version = job.JobId };
        (await Client.NotePlayAsync(play)).First.ShouldBeTrue();
        (await Client.NotePlayAsync(play)).First.ShouldBeFalse();
        (await Client.NotePlayAsync(new NotePlayRequest { Version = "none" })).First.ShouldBeFalse();
        await ReopenAsync();
        (await Client.NotePlayAsync(play)).First.ShouldBeFalse();
        (await IndexAsync(mediaId)).Played.ShouldBeTrue();
    }

    [Fact]
    public async Task Every_event_counts_once_however_often_it_comes()
    {
        var (mediaId, job) = await OrderAsync();
        await Node.DisposeAsync();
        await OpenAsync(followers: false);
        var follower = Node.Get<JobFollower>();
        var said = new List<JobEvent>
        {
            job.Say(e => e.Planned = new JobPlanned { Summary = Attempts.Plan(2, audio: true) }),
        };
        foreach (var (index, chunk) in new[]
            { (Attempts.ChunkIndex(0), 0), (Attempts.AudioIndex(3), 0), (Attempts.ChunkIndex(1), 1) })
        {
            var committed = await Attempts.StoreAsync(Objects, mediaId, job.JobId, index, chunk);
            said.Add(job.Say(e => e.Committed = committed));
        }

        said.Add(job.Say(e => e.Ended = new JobEnded { State = JobState.Done }));
        for (var prefix = 1; prefix <= said.Count; prefix++)
        {
            // As after a crash: the composition comes from the database, the events from the beginning.
            var composition = Store.Read(connection => VersionTable.LoadComposition(connection, job.JobId));
            foreach (var (happened, i) in said.Take(prefix).Select((e, i) => (e, i)))
            {
                var applied = await follower.ApplyAsync(composition, job.JobId, happened, CancellationToken.None);
                applied.ShouldBe(i == prefix - 1);
            }
        }

        var media = await GetAsync(mediaId);
        ((string)media["state"]!).ShouldBe("ready");
        Segments(await IndexAsync(mediaId)).ShouldBe(3);
    }

    [Fact]
    public async Task After_a_restart_it_follows_on_from_its_cursor()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 2, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        await StateAsync(mediaId, "playable");
        await Node.DisposeAsync();
        await OpenAsync();
        await CommitChunkAsync(mediaId, job, 1);
        End(job, JobState.Done);
        await StateAsync(mediaId, "ready");
        Master.WatchedFrom.ShouldBe([0, 2]);
    }

    [Theory]
    [InlineData("hash")]
    [InlineData("missing")]
    [InlineData("short object")]
    [InlineData("elsewhere")]
    public async Task A_commit_that_names_what_is_not_there_fails_the_media(string damage)
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        var committed = await Attempts.StoreAsync(Objects, mediaId, job.JobId, Attempts.ChunkIndex(0));
        var folder = committed.Result.Key[..(committed.Result.Key.LastIndexOf('/') + 1)];
        switch (damage)
        {
            case "hash":
                committed.Result.Sha256 = Google.Protobuf.ByteString.CopyFrom(new byte[32]);
                break;
            case "missing":
                await Objects.DeleteAsync(committed.Result.Key, CancellationToken.None);
                break;
            case "short object":
                await Objects.DeleteAsync(folder + "h264-720.mp4", CancellationToken.None);
                await Attempts.PutAsync(Objects, folder + "h264-720.mp4", new byte[5]);
                break;
            default:
                committed.Result.Key = "media/another/version/chunk-0000-1/index.json";
                break;
        }

        job.Say(e => e.Committed = committed);
        var media = await StateAsync(mediaId, "failed");
        ((string)media["error"]!["code"]!).ShouldBe("version_inconsistent");
    }

    [Fact]
    public async Task A_failed_media_says_why_and_is_retried_as_the_same_version()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 2, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        End(job, JobState.Failed, new TaskFailure { Code = "encoder_failed", Message = "no", LogTail = "words" });
        var media = await StateAsync(mediaId, "failed");
        ((string)media["error"]!["log_tail"]!).ShouldBe("words");
        media["version"].ShouldBeNull();
        (await Should.ThrowAsync<RpcException>(() => IndexAsync(mediaId))).StatusCode.ShouldBe(StatusCode.NotFound);

        using (var retried = await Http.PostAsync($"/v1/media/{mediaId}/retry", null))
        {
            retried.StatusCode.ShouldBe(System.Net.HttpStatusCode.Accepted);
        }

        ((string)(await GetAsync(mediaId))["state"]!).ShouldNotBe("failed");
        await StateAsync(mediaId, "playable");
        await CommitChunkAsync(mediaId, job, 1);
        End(job, JobState.Done);
        media = await StateAsync(mediaId, "ready");
        ((string)media["version"]!).ShouldBe(job.JobId);
        Master.Retried.Single().ShouldBe(job.JobId);
    }

    [Fact]
    public async Task A_job_that_the_master_has_lost_fails_and_a_retry_orders_another()
    {
        var (mediaId, job) = await OrderAsync();
        Master.Forget(mediaId);
        await ReopenAsync();
        var media = await StateAsync(mediaId, "failed");
        ((string)media["error"]!["code"]!).ShouldBe("job_lost");
        using (var retried = await Http.PostAsync($"/v1/media/{mediaId}/retry", null))
        {
            retried.StatusCode.ShouldBe(System.Net.HttpStatusCode.Accepted);
        }

        await StateAsync(mediaId, "processing");
        Master.Job(mediaId).JobId.ShouldNotBe(job.JobId);
    }

    [Fact]
    public async Task Of_two_retries_that_saw_the_same_failure_one_counts()
    {
        Master.Refusal = StatusCode.InvalidArgument;
        var mediaId = await UploadAsync();
        await StateAsync(mediaId, "failed");
        Master.Refusal = StatusCode.OK;
        var commands = Node.Get<MediaCommands>();
        await commands.OrderAgainAsync(mediaId, failedJob: null, CancellationToken.None);
        await StateAsync(mediaId, "processing");
        var late = await commands.OrderAgainAsync(mediaId, failedJob: null, CancellationToken.None);
        late.State.ShouldBe(MediaState.Processing);
        var job = Master.Job(mediaId);
        var restarted = await commands.RestartAsync(mediaId, job.JobId, cursor: 0, CancellationToken.None);
        restarted.RowVersion.ShouldBe(late.RowVersion);

        Plan(job, chunks: 1, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        End(job, JobState.Done);
        await StateAsync(mediaId, "ready");
        Master.Orders.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_job_that_is_answered_to_a_second_order_is_followed_again()
    {
        var (mediaId, job) = await OrderAsync();
        await Node.DisposeAsync();
        await OpenAsync(followers: false);
        var following = await Store.WriteAsync(
            write =>
            {
                VersionTable.Follow(write, job.JobId, following: false);
                VersionTable.Add(write, job.JobId, mediaId);
                return VersionTable.Find(write.Connection, job.JobId, write.Transaction)!.Following;
            },
            CancellationToken.None);
        following.ShouldBeTrue();
    }

    [Fact]
    public async Task Only_a_failed_media_can_be_retried()
    {
        var (mediaId, _) = await OrderAsync();
        using var answer = await Http.PostAsync($"/v1/media/{mediaId}/retry", null);
        answer.StatusCode.ShouldBe(System.Net.HttpStatusCode.Conflict);
    }
}
