using System.Net;
using System.Text.Json.Nodes;
using Hexcast.Playback.Tests.Support;
using static Hexcast.Playback.Tests.SegmentTests;

namespace Hexcast.Playback.Tests;

public sealed class LinksTests : IAsyncLifetime
{
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() => host = await PlaybackHost.StartAsync(manualClock: true);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_public_media_has_bare_addresses()
    {
        var sample = await SampleVersion.PutAsync(host);
        var links = await LinksAsync(sample.MediaId, "");
        links.ToJsonString().ShouldBe(
            $$"""{"policy":"public","expires_at":null,"token":null,"hls":"{{sample.Root}}master.m3u8",""" +
            $"\"dash\":\"{sample.Root}manifest.mpd\",\"poster\":\"{sample.Root}poster.jpg\"," +
            $"\"storyboard\":\"{sample.Root}storyboard.vtt\",\"subtitles\":[{{\"id\":\"sub-en\",\"language\":\"en\"," +
            "\"label\":\"English\",\"default\":true,\"forced\":false," +
            $"\"url\":\"{sample.Path("subtitles.vtt", "sub-en")}\"}}]}}");
    }

    [Fact]
    public async Task A_signed_media_has_addresses_that_open_until_the_time_that_is_told()
    {
        var sample = await SampleVersion.PutAsync(host, policy: "signed");
        var links = await LinksAsync(sample.MediaId, """{"ttl_seconds":120}""");
        ((DateTimeOffset)links["expires_at"]!).ShouldBe(host.Clock.GetUtcNow().AddMinutes(2));
        foreach (var name in new[] { "hls", "dash", "poster", "storyboard" })
        {
            ((string)links[name]!).ShouldEndWith("?token=" + (string)links["token"]!);
            using var answer = await host.GetAsync((string)links[name]!);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, name);
        }

        var usual = await LinksAsync(sample.MediaId, "{}");
        ((DateTimeOffset)usual["expires_at"]!).ShouldBe(host.Clock.GetUtcNow().AddHours(1));
    }

    [Fact]
    public async Task A_public_media_can_be_asked_for_with_a_token_and_a_signed_one_never_without()
    {
        var open = await SampleVersion.PutAsync(host);
        ((string?)(await LinksAsync(open.MediaId, """{"policy":"signed"}"""))["token"]).ShouldNotBeNull();
        var closed = await SampleVersion.PutAsync(host, policy: "signed");
        await ShouldFailAsync(closed.MediaId, """{"policy":"public"}""", HttpStatusCode.BadRequest, "invalid_argument");
    }

    [Fact]
    public async Task A_policy_that_this_build_does_not_know_is_closed()
    {
        var sample = await SampleVersion.PutAsync(host, policy: "subscribers");
        using var answer = await host.GetAsync(sample.Root + "master.m3u8");
        await ShouldBeProblemAsync(answer, HttpStatusCode.Unauthorized, "token_missing");
    }

    [Theory]
    [InlineData("""{"ttl_seconds":0}""")]
    [InlineData("""{"ttl_seconds":-5}""")]
    [InlineData("""{"ttl_seconds":86401}""")]
    [InlineData("""{"ttl_seconds":9223372036854775808}""")]
    [InlineData("""{"ttl_seconds":"60"}""")]
    [InlineData("""{"ttl_seconds":1.5}""")]
    [InlineData("""{"policy":"private"}""")]
    [InlineData("""{"ttl":60}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("ttl_seconds=60")]
    public async Task A_request_that_makes_no_sense_is_told_why(string body)
    {
        var sample = await SampleVersion.PutAsync(host);
        await ShouldFailAsync(sample.MediaId, body, HttpStatusCode.BadRequest, "invalid_argument");
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_not_read()
    {
        var sample = await SampleVersion.PutAsync(host);
        await ShouldFailAsync(sample.MediaId, new string(' ', 5000), HttpStatusCode.RequestEntityTooLarge, "too_large");
    }

    [Fact]
    public async Task A_media_that_is_not_there_has_no_addresses()
    {
        await ShouldFailAsync(PlaybackHost.NewMediaId(), "", HttpStatusCode.NotFound, "not_found");
        await ShouldFailAsync("nonsense", "", HttpStatusCode.NotFound, "not_found");
    }

    private async Task<JsonNode> LinksAsync(string mediaId, string body)
    {
        using var answer = await host.Http.PostAsync($"/v1/media/{mediaId}/playback", new StringContent(body));
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        Header(answer, "Cache-Control").ShouldBe("no-store");
        return JsonNode.Parse(text)!;
    }

    private async Task ShouldFailAsync(string mediaId, string body, HttpStatusCode status, string code)
    {
        using var answer = await host.Http.PostAsync($"/v1/media/{mediaId}/playback", new StringContent(body));
        await ShouldBeProblemAsync(answer, status, code);
    }
}
