using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Hexcast.Catalog.Subtitles;
using Hexcast.Contracts.V1;
using Hexcast.Media.Subtitles;
using Hexcast.Testing;

namespace Hexcast.Catalog.Tests;

/// <summary>Text tracks that people upload beside a media.</summary>
public sealed class SubtitleApiTests : CatalogFixture
{
    private const string SubRip = "1\n00:00:01,000 --> 00:00:02,000\nHello <script>x</script> <b>you</b>\n";

    [Fact]
    public async Task An_uploaded_track_is_clean_WebVtt_that_goes_with_the_version()
    {
        var mediaId = await ReadyAsync();
        var media = await PutAsync(mediaId, "ENG", SubRip, "?label=English%20(SDH)&default=true");
        var told = media["subtitles"]!.AsArray().Single()!;
        ((string)told["language"]!).ShouldBe("en");
        ((string)told["label"]!).ShouldBe("English (SDH)");
        ((bool)told["default"]!).ShouldBeTrue();
        ((bool)told["uploaded"]!).ShouldBeTrue();

        var track = (await IndexAsync(mediaId)).Subtitles.Single();
        track.Id.ShouldBe((string)told["id"]!);
        (await TextAsync(track)).ShouldBe("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello x <b>you</b>\n");
    }

    [Fact]
    public async Task Another_upload_takes_its_place_under_another_name_and_a_delete_ends_it()
    {
        var mediaId = await ReadyAsync();
        await PutAsync(mediaId, "en", SubRip);
        var first = (await IndexAsync(mediaId)).Subtitles.Single();
        await PutAsync(mediaId, "de", SubRip);
        await PutAsync(mediaId, "en", SubRip);
        var tracks = (await IndexAsync(mediaId)).Subtitles;
        tracks.Select(t => t.Language).ShouldBe(["de", "en"]);
        tracks[1].Id.ShouldNotBe(first.Id, "caches keep a name's bytes for ever");
        (await Objects.StatAsync(first.Text.Key, CancellationToken.None)).ShouldBeNull();

        (await Http.DeleteAsync($"/v1/media/{mediaId}/subtitles/en")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await IndexAsync(mediaId)).Subtitles.Single().Language.ShouldBe("de");
        (await Objects.StatAsync(tracks[1].Text.Key, CancellationToken.None)).ShouldBeNull();
        (await Http.DeleteAsync($"/v1/media/{mediaId}/subtitles/en")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task They_outlive_a_restart_and_go_with_the_media()
    {
        var mediaId = await ReadyAsync();
        await PutAsync(mediaId, "en", SubRip);
        await ReopenAsync();
        var track = (await IndexAsync(mediaId)).Subtitles.Single();
        (await Http.DeleteAsync($"/v1/media/{mediaId}")).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(
            async () => await Objects.StatAsync(track.Text.Key, CancellationToken.None) is null,
            "the track is still there");
    }

    [Theory]
    [InlineData("en", "no subtitles at all", 400)]
    [InlineData("en", "", 400)]
    [InlineData("not a tag", SubRip, 400)]
    [InlineData("..%2f..%2fetc", SubRip, 400)]
    [InlineData("en?label=%22quoted%22", SubRip, 400)]
    [InlineData("en?default=perhaps", SubRip, 400)]
    public async Task What_cannot_be_used_is_refused(string address, string body, int status)
    {
        var mediaId = await ReadyAsync();
        using var answer = await Http.PutAsync(
            $"/v1/media/{mediaId}/subtitles/{address}", new StringContent(body, Encoding.UTF8, "text/vtt"));
        ((int)answer.StatusCode).ShouldBe(status);
        (await IndexAsync(mediaId)).Subtitles.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_over_the_limit_and_a_media_that_is_not_there_are_refused()
    {
        var mediaId = await UploadAsync();
        using var large = await Http.PutAsync(
            $"/v1/media/{mediaId}/subtitles/en", new ByteArrayContent(new byte[SubtitleText.MaxBytes + 1]));
        large.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        using var gone = await Http.PutAsync(
            "/v1/media/01k00000000000000000000000/subtitles/en", new StringContent(SubRip));
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public void What_was_uploaded_stands_before_the_sources_own_and_no_two_have_one_name()
    {
        var merged = SubtitleTracks.Merge(
            [Track("sub-en-up", "en", "English", isDefault: true), Track("sub-fr-up", "fr", "English")],
            [
                Track("sub-en", "en", "English"), Track("sub-en-2", "en", "Signs", isForced: true),
                Track("sub-de", "de", "English", isDefault: true),
            ]);
        merged.Select(t => (t.Id, t.Label, t.IsDefault)).ShouldBe(
        [
            ("sub-en-up", "English", true), ("sub-fr-up", "English 2", false), ("sub-en-2", "Signs", false),
            ("sub-de", "English 3", false),
        ]);
    }

    private static SubtitleTrack Track(
        string id, string language, string label, bool isDefault = false, bool isForced = false) => new()
        {
            Id = id, Language = language, Label = label, IsDefault = isDefault, IsForced = isForced,
        };

    private async Task<string> ReadyAsync()
    {
        var (mediaId, job) = await OrderAsync();
        Plan(job, chunks: 1, audio: false);
        await CommitChunkAsync(mediaId, job, 0);
        End(job, JobState.Done);
        await StateAsync(mediaId, "ready");
        return mediaId;
    }

    private async Task<JsonNode> PutAsync(string mediaId, string language, string text, string query = "")
    {
        using var answer = await Http.PutAsync(
            $"/v1/media/{mediaId}/subtitles/{language}{query}",
            new StringContent(text, Encoding.UTF8, "application/x-subrip"));
        var body = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonNode.Parse(body)!;
    }

    private async Task<string> TextAsync(SubtitleTrack track)
    {
        await using var stream = (await Objects.OpenReadAsync(track.Text.Key, 0, CancellationToken.None))!;
        using var reader = new StreamReader(stream);
        var text = await reader.ReadToEndAsync();
        text.Length.ShouldBe((int)track.Text.Length);
        return text;
    }
}
