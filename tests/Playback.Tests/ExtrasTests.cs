using System.Net;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;
using static Hexcast.Playback.Tests.SegmentTests;

namespace Hexcast.Playback.Tests;

/// <summary>Storyboards and subtitles over HTTP.</summary>
public sealed class ExtrasTests : IAsyncLifetime
{
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() => host = await PlaybackHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task The_storyboard_leads_to_its_sheets()
    {
        var sample = await SampleVersion.PutAsync(host);
        using var answer = await host.GetAsync(sample.Root + "storyboard.vtt");
        Header(answer, "Content-Type").ShouldBe("text/vtt; charset=utf-8");
        Header(answer, "Cache-Control").ShouldBe("no-cache");
        (await answer.Content.ReadAsStringAsync()).ShouldBe($"""
            WEBVTT

            00:00:00.000 --> 00:00:02.000
            {SampleVersion.Version}/storyboard/0.jpg#xywh=0,0,160,90

            00:00:02.000 --> 00:00:16.000
            {SampleVersion.Version}/storyboard/1.jpg#xywh=0,0,160,90

            """.ReplaceLineEndings("\n"));
        using var sheet = await host.GetAsync($"{sample.Root}{SampleVersion.Version}/storyboard/1.jpg");
        Header(sheet, "Content-Type").ShouldBe("image/jpeg");
        Header(sheet, "Cache-Control").ShouldBe("public, max-age=31536000, immutable");
        (await sheet.Content.ReadAsByteArrayAsync()).ShouldBe(sample.Sheet(1));
    }

    [Fact]
    public async Task Subtitles_are_a_track_of_either_manifest()
    {
        var sample = await SampleVersion.PutAsync(host);
        var master = await TextAsync(sample.Root + "master.m3u8");
        master.ShouldContain($"URI=\"{SampleVersion.Version}/sub-en/index.m3u8\"");
        master.ShouldContain("SUBTITLES=\"subtitles\"");
        var playlist = await TextAsync(sample.Path("index.m3u8", "sub-en"));
        playlist.Split('\n').ShouldContain("subtitles.vtt");
        var mpd = XDocument.Parse(await TextAsync(sample.Root + "manifest.mpd"));
        mpd.Descendants().Single(e => e.Name.LocalName == "BaseURL").Value
            .ShouldBe($"{SampleVersion.Version}/sub-en/subtitles.vtt");

        using var text = await host.GetAsync(sample.Path("subtitles.vtt", "sub-en"));
        Header(text, "Content-Type").ShouldBe("text/vtt; charset=utf-8");
        Header(text, "Cache-Control").ShouldBe("public, max-age=31536000, immutable");
        (await text.Content.ReadAsByteArrayAsync()).ShouldBe(sample.Text(0));
    }

    [Fact]
    public async Task A_token_is_handed_on_and_asked_for_everywhere()
    {
        var sample = await SampleVersion.PutAsync(host, policy: "signed");
        var links = await LinksAsync(sample.MediaId);
        var token = "?token=" + (string)links["token"]!;
        (await TextAsync((string)links["storyboard"]!))
            .ShouldContain($"{SampleVersion.Version}/storyboard/0.jpg{token}#xywh=0,0,160,90");
        (await TextAsync(sample.Path("index.m3u8", "sub-en") + token)).ShouldContain($"subtitles.vtt{token}");
        ((string)links["subtitles"]![0]!["url"]!).ShouldBe(sample.Path("subtitles.vtt", "sub-en") + token);
        foreach (var path in Paths(sample))
        {
            using var bare = await host.GetAsync(path);
            bare.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
            using var signed = await host.GetAsync(path + token);
            signed.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            signed.Headers.CacheControl!.Private.ShouldBeTrue(path);
        }
    }

    [Fact]
    public async Task A_version_that_has_neither_plays_as_before()
    {
        var sample = await SampleVersion.PutAsync(host);
        sample.Index.Storyboard = null;
        sample.Index.Subtitles.Clear();
        foreach (var path in Paths(sample))
        {
            using var answer = await host.GetAsync(path);
            await ShouldBeProblemAsync(answer, HttpStatusCode.NotFound, "not_found");
        }

        (await TextAsync(sample.Root + "master.m3u8")).ShouldNotContain("SUBTITLES");
        var links = await LinksAsync(sample.MediaId);
        links["storyboard"].ShouldBeNull();
        links["subtitles"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task While_nothing_plays_the_addresses_name_neither()
    {
        var mediaId = PlaybackHost.NewMediaId();
        host.Catalog.Set(new MediaRecord { MediaId = mediaId, Policy = "public", State = MediaState.Processing });
        (await LinksAsync(mediaId))["storyboard"].ShouldBeNull();
    }

    [Theory]
    [InlineData("storyboard/2.jpg")]
    [InlineData("storyboard/-1.jpg")]
    [InlineData("storyboard/01.jpg")]
    [InlineData("storyboard/x.jpg")]
    [InlineData("sub-de/subtitles.vtt")]
    [InlineData("sub-de/index.m3u8")]
    [InlineData("sub-en/1.m4s")]
    [InlineData("h264-360/subtitles.vtt")]
    public async Task What_a_version_does_not_have_is_not_found(string path)
    {
        var sample = await SampleVersion.PutAsync(host);
        using var answer = await host.GetAsync($"{sample.Root}{SampleVersion.Version}/{path}");
        await ShouldBeProblemAsync(answer, HttpStatusCode.NotFound, "not_found");
        using var another = await host.GetAsync($"{sample.Root}another/storyboard/0.jpg");
        await ShouldBeProblemAsync(another, HttpStatusCode.NotFound, "not_found");
    }

    private static string[] Paths(SampleVersion sample) =>
    [
        sample.Root + "storyboard.vtt", $"{sample.Root}{SampleVersion.Version}/storyboard/0.jpg",
        sample.Path("index.m3u8", "sub-en"), sample.Path("subtitles.vtt", "sub-en"),
    ];

    private async Task<string> TextAsync(string path)
    {
        using var answer = await host.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task<JsonNode> LinksAsync(string mediaId)
    {
        using var answer = await host.Http.PostAsync($"/v1/media/{mediaId}/playback", new StringContent("{}"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    }
}
