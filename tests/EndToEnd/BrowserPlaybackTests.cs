using System.Text.Json.Nodes;
using Hexcast.Dashboard.Tests.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.EndToEnd;

/// <summary>A file goes in, a real browser plays it: decoded frames and running time are what counts.</summary>
public sealed class BrowserPlaybackTests(SharedPlatform shared, Chromium chromium)
{
    private const double Seconds = 24;

    // Two cores that encode beside a browser may need long for a minute's work.
    private static readonly TimeSpan JobLimit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task One_who_waits_on_the_page_sees_it_begin_by_itself_then_seeks_and_switches()
    {
        var id = await UploadAsync("watched.mp4");
        await using var watched = await OpenAsync(id);
        await watched.UntilAsync("hexcast.stats", JobLimit);
        await watched.PlayAsync();
        await watched.TakePictureAsync("end-to-end-first");
        await shared.Api.WaitForAsync(id, "ready");
        await watched.UntilAsync("hexcast.state.state === 'ready' && !hexcast.stats.growing");
        await ShouldSoundAsync(watched);

        await watched.SeekAsync(15);
        await watched.PlayAsync();
        await ShouldSwitchAsync(watched, 240, 360, 240);
        await watched.ChooseAsync("Quality", "Auto");
        await ShouldEndAsync(watched);
        await watched.TakePictureAsync("end-to-end-hls");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task Dash_plays_seeks_and_switches_from_the_same_segments()
    {
        var id = await UploadAsync("dash.mp4");
        await shared.Api.WaitForAsync(id, "ready");
        await using var watched = await OpenAsync(id, dark: true);
        await watched.PlayAsync();
        await watched.ChooseAsync("Delivery", "DASH");
        await watched.UntilAsync("hexcast.stats?.format === 'dash'");
        (await watched.Page.EvaluateAsync<string>("hexcast.player.engine.shaka.getAssetUri()"))
            .ShouldContain("manifest.mpd");
        await watched.ShouldAdvanceAsync();
        await ShouldSoundAsync(watched);

        await watched.SeekAsync(10);
        await ShouldSwitchAsync(watched, 240, 360);
        await ShouldEndAsync(watched);
        await watched.TakePictureAsync("end-to-end-dash");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_signed_video_plays_for_those_signed_in_or_with_a_link_and_for_nobody_else()
    {
        var id = await UploadAsync("signed.mp4", ("policy", "signed"));
        await shared.Api.WaitForAsync(id, "ready");
        using (var bare = await shared.Http.GetAsync($"/play/{id}/master.m3u8"))
        {
            bare.StatusCode.ShouldBe(System.Net.HttpStatusCode.Unauthorized);
        }

        using var answer = await shared.Http.PostAsync($"/v1/media/{id}/playback", content: null);
        var links = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        var clip = shared.File("signed.mp4");
        foreach (var name in new[] { "hls", "dash" })
        {
            var url = shared.Url((string)links[name]!);
            (await Clips.CountFramesAsync(url)).ShouldBe(await Clips.CountFramesAsync(clip));
            (await Clips.DecodeWarningsAsync(url)).ShouldBeEmpty();
        }

        await using (var signedIn = await OpenAsync(id))
        {
            await signedIn.PlayAsync();
            signedIn.ShouldHaveNoProblems();
        }

        await using (var stranger = await OpenAsync(id, signedIn: false))
        {
            stranger.Status.ShouldBe(401);
            await Expect(stranger.Page.GetByText("This video is private")).ToBeVisibleAsync();
        }

        await using var withLink = await OpenAsync(id, signedIn: false, query: $"?token={links["token"]}");
        await withLink.PlayAsync();
        withLink.ShouldHaveNoProblems();
    }

    private Task<WatchedPage> OpenAsync(string id, bool dark = false, bool signedIn = true, string query = "") =>
        WatchedPage.OpenAsync(
            chromium,
            new Uri(shared.Url($"/watch/{id}{query}")),
            dark,
            header: signedIn ? shared.SignedIn : null);

    private async Task<string> UploadAsync(string name, params (string, string)[] metadata)
    {
        var clip = shared.File(name);
        await Clips.MakeStandardAsync(clip, Seconds);
        return await shared.Api.UploadAsync(clip, metadata: metadata);
    }

    // Each switch starts early in the clip, which runs on while the menu is used, perhaps to its end.
    private static async Task ShouldSwitchAsync(WatchedPage watched, params int[] heights)
    {
        foreach (var height in heights)
        {
            await watched.SeekAsync(2);
            await watched.ChooseAsync("Quality", $"{height}p");
            await watched.UntilAsync($"hexcast.stats.height === {height}");
            await watched.PlayAsync();
        }
    }

    private static Task ShouldSoundAsync(WatchedPage watched) =>
        watched.UntilAsync("document.querySelector('video').webkitAudioDecodedByteCount > 10000");

    private static async Task ShouldEndAsync(WatchedPage watched)
    {
        await watched.SeekAsync(Seconds - 2);
        await watched.Page.EvaluateAsync("document.querySelector('video').play()");
        await watched.UntilAsync("document.querySelector('video').ended");
        (await watched.Page.EvaluateAsync<double>("document.querySelector('video').duration"))
            .ShouldBe(Seconds, tolerance: 0.1);
    }
}
