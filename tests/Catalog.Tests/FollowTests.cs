using Hexcast.Contracts.V1;

namespace Hexcast.Catalog.Tests;

public sealed class FollowTests : CatalogFixture
{
    [Fact]
    public async Task An_upload_is_ordered_becomes_playable_and_then_ready()
    {
        var mediaId = await UploadAsync("holiday.mp4");
        var media = await StateAsync(mediaId, "processing");
        ((string)media["title"]!).ShouldBe("holiday");
        Master.Orders.Single().PresetName.ShouldBe("ladder_h264_aac");
        Master.Orders.Single().SourceKey.ShouldBe($"sources/{mediaId}");
        var job = Master.Job(mediaId);

        Plan(job, chunks: 3, audio: true);
        await CommitAudioAsync(mediaId, job, segments: 5);
        await CommitChunkAsync(mediaId, job, 0);
        media = await StateAsync(mediaId, "playable");
        ((string)media["version"]!).ShouldBe(job.JobId);
        ((string)media["source"]!["video_codec"]!).ShouldBe("h264");
        var index = await IndexAsync(mediaId);
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
        ((long)renditions[0]!["average_bitrate"]!).ShouldBe(200);
        media["playable_at"].ShouldNotBeNull();
    }
}
