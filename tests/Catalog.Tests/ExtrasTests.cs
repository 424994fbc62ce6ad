using System.Security.Cryptography;
using Google.Protobuf;
using Hexcast.Contracts.V1;
using Hexcast.Media.Planning;
using Hexcast.Media.Subtitles;
using Hexcast.Platform.ObjectStore;
using Stored = Hexcast.Media.Manifests;

namespace Hexcast.Catalog.Tests;

/// <summary>Storyboards and subtitles: part of a version, and never a reason to do without it.</summary>
public sealed class ExtrasTests : CatalogFixture
{
    [Fact]
    public async Task A_version_has_a_storyboard_and_when_it_is_ready_its_subtitles()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        await CommitSubtitlesAsync(mediaId, job);
        await CommitChunkAsync(mediaId, job, 0);
        await CommitStoryboardAsync(mediaId, job);
        await CaughtUpAsync(job);

        var growing = await IndexAsync(mediaId);
        growing.Storyboard.StartSeconds.ShouldBe([0, 2]);
        growing.Storyboard.Sheets.Single().Length.ShouldBe(3);
        growing.Subtitles.ShouldBeEmpty("a player reads the list of tracks once");
        ((string)(await GetAsync(mediaId))["subtitles"]![0]!["id"]!).ShouldBe("sub-en", "people are told at once");

        End(job, JobState.Done);
        var media = await StateAsync(mediaId, "ready");
        ((bool)media["storyboard"]!).ShouldBeTrue();
        ((string)media["subtitles"]![0]!["id"]!).ShouldBe("sub-en");
        ((string)media["subtitles"]![0]!["language"]!).ShouldBe("en");
        ((string)media["subtitles"]![0]!["label"]!).ShouldBe("English");
        ((bool)media["subtitles"]![0]!["default"]!).ShouldBeTrue();
        ((string)media["skipped_subtitles"]![0]!["reason"]!).ShouldBe("They are pictures.");
        var text = (await IndexAsync(mediaId)).Subtitles.Single();
        (text.Id, text.IsDefault, text.Text.Length).ShouldBe(("sub-en", true, 6));
        text.Text.Key.ShouldStartWith($"media/{mediaId}/{job.JobId}/subtitles-1/");

        await ReopenAsync();
        (await IndexAsync(mediaId)).Subtitles.Count.ShouldBe(1, "it outlives a restart");
    }

    [Fact]
    public async Task A_version_without_either_is_a_version()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        job.Say(e => e.Committed = new TaskCommitted
        {
            TaskId = "storyboard", Kind = TaskKind.Storyboard, Attempt = 1,
        });
        End(job, JobState.Done);
        var media = await StateAsync(mediaId, "ready");
        ((bool)media["storyboard"]!).ShouldBeFalse();
        media["subtitles"]!.AsArray().ShouldBeEmpty();
        media["skipped_subtitles"]!.AsArray().ShouldBeEmpty();
        (await IndexAsync(mediaId)).Storyboard.ShouldBeNull();
    }

    [Theory]
    [InlineData("hash")]
    [InlineData("sheet gone")]
    [InlineData("elsewhere")]
    [InlineData("nonsense")]
    public async Task What_is_not_there_or_not_what_the_commit_says_is_left_out(string damage)
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        await CommitStoryboardAsync(mediaId, job, damage);
        End(job, JobState.Done);
        var media = await StateAsync(mediaId, "ready");
        ((bool)media["storyboard"]!).ShouldBeFalse();
        (await IndexAsync(mediaId)).Storyboard.ShouldBeNull();
    }

    private async Task CommitStoryboardAsync(string mediaId, FakeJob job, string damage = "")
    {
        var prefix = ObjectKey.AttemptPrefix(mediaId, job.JobId, "storyboard", 1);
        var sheet = damage == "sheet gone" ? [] : new byte[] { 1, 2, 3 };
        await Attempts.PutAsync(Objects, prefix + "sheet-0.jpg", sheet);
        var index = new Stored.StoryboardIndex
        {
            TileWidth = 160, TileHeight = 90, Columns = 2, Rows = 1, StartSeconds = [0, damage == "nonsense" ? -1 : 2],
            EndSeconds = 4,
            Sheets = [File("sheet-0.jpg", [1, 2, 3])],
        };
        var at = damage == "elsewhere" ? ObjectKey.AttemptPrefix(mediaId, "another", "storyboard", 1) : prefix;
        var named = await Attempts.PutAsync(Objects, at + "storyboard.json", index.ToJson());
        named.Sha256 = damage == "hash" ? ByteString.CopyFrom(new byte[32]) : named.Sha256;
        job.Say(e => e.Committed = new TaskCommitted
        {
            TaskId = "storyboard", Kind = TaskKind.Storyboard, Attempt = 1, Result = named,
        });
    }

    private async Task CommitSubtitlesAsync(string mediaId, FakeJob job)
    {
        var prefix = ObjectKey.AttemptPrefix(mediaId, job.JobId, "subtitles", 1);
        var text = "WEBVTT"u8.ToArray();
        await Attempts.PutAsync(Objects, prefix + "sub-en.vtt", text);
        var index = new SubtitleIndex
        {
            Tracks =
            [
                new StoredSubtitle
                {
                    Track = new SubtitlePlan
                    {
                        Id = "sub-en", StreamIndex = 2, Language = "en", Label = "English", IsDefault = true,
                    },
                    File = File("sub-en.vtt", text),
                },
            ],
            Skipped = [new("hdmv_pgs_subtitle", "fr", "They are pictures.")],
        };
        var named = await Attempts.PutAsync(Objects, prefix + "subtitles.json", index.ToJson());
        job.Say(e => e.Committed = new TaskCommitted
        {
            TaskId = "subtitles", Kind = TaskKind.Subtitles, Attempt = 1, Result = named,
        });
    }

    private static Stored.StoredFile File(string name, byte[] bytes) => new()
    {
        Name = name, Length = bytes.Length, Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
    };
}
