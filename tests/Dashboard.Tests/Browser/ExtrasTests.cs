using Hexcast.Playback.Tests.Support;
using Microsoft.Playwright;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>
/// Subtitles and storyboards in a real browser by a real player, from the manifests alone: on a page of the test's own,
/// so that no page of the product is needed.
/// </summary>
public sealed class ExtrasTests(Chromium chromium) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly string mediaId = PlaybackHost.NewMediaId();
    private PlaybackHost host = null!;
    private IPage page = null!;

    public async ValueTask InitializeAsync()
    {
        host = await PlaybackHost.StartAsync();
        var index = await EncodedVersion.PutAsync(host, mediaId);
        await EncodedVersion.AddExtrasAsync(host, index);
        page = await (await chromium.GetAsync()).NewPageAsync();
        page.SetDefaultTimeout((float)Limit.TotalMilliseconds);
        var address = host.Url("/test-page").ToString();
        await page.RouteAsync(address, route => route.FulfillAsync(new()
        {
            ContentType = "text/html", Body = "<!doctype html><video muted width=640 height=360></video>",
        }));
        await page.GotoAsync(address);
        await page.AddScriptTagAsync(new() { Path = Shaka() });
        await page.EvaluateAsync("""
            async () => {
              shaka.polyfill.installAll();
              window.video = document.querySelector('video');
              window.player = new shaka.Player();
              window.problems = [];
              player.addEventListener('error', e => problems.push(String(e.detail.code)));
              await player.attach(video);
              window.cues = () => [...video.textTracks].filter(t => t.mode === 'showing')
                .flatMap(t => [...(t.activeCues ?? [])].map(c => c.text));
            }
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await page.CloseAsync();
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData("master.m3u8")]
    [InlineData("manifest.mpd")]
    public async Task A_chosen_text_track_really_shows_its_cue(string manifest)
    {
        await page.EvaluateAsync("uri => player.load(uri)", $"/play/{mediaId}/{manifest}");
        (await page.EvaluateAsync<string[]>("player.getTextTracks().map(t => t.language).sort()"))
            .ShouldBe(["de", "en"]);
        (await page.EvaluateAsync<string[]>("player.getTextTracks().map(t => t.label).sort()"))
            .ShouldBe(["Deutsch", "English"]);

        await SelectAsync("en");
        await page.EvaluateAsync("() => { video.currentTime = 1; return video.play(); }");
        await UntilAsync("cues().some(text => text.includes('Good morning'))");
        await page.EvaluateAsync("video.pause()");
        (await page.EvaluateAsync<string>("cues().join()")).ShouldContain("& more");
        await page.ScreenshotAsync(new()
        {
            Path = Path.Combine(Chromium.Screenshots, $"subtitles-{Path.GetExtension(manifest)[1..]}.png"),
        });

        await SelectAsync("de");
        await page.EvaluateAsync("() => { video.currentTime = 3; return video.play(); }");
        await UntilAsync("cues().length === 1 && cues()[0].includes('Guten Tag')");
        await page.EvaluateAsync("() => { video.currentTime = 10; }");
        await UntilAsync("video.currentTime > 10.2 && cues().length === 0");
        (await page.EvaluateAsync<string[]>("problems")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_moment_on_the_seek_bar_has_its_picture()
    {
        await page.EvaluateAsync("uri => player.load(uri)", $"/play/{mediaId}/master.m3u8");
        await page.EvaluateAsync(
            "async uri => { window.pictures = await player.addThumbnailsTrack(uri); }",
            host.Url($"/play/{mediaId}/storyboard.vtt").ToString());
        await ShouldShowAsync(3, "0,0,160,90");
        await ShouldShowAsync(8, "160,0,160,90");
        (await page.EvaluateAsync<int[]>("""
            async () => {
              const { uris } = await player.getThumbnails(pictures.id, 8);
              const image = new Image();
              image.src = uris[0].split('#')[0];
              await image.decode();
              return [image.naturalWidth, image.naturalHeight];
            }
            """)).ShouldBe([320, 90]);
    }

    private async Task ShouldShowAsync(int seconds, string place) => (await page.EvaluateAsync<string>(
        """
        async at => {
          const t = await player.getThumbnails(pictures.id, at);
          return [t.positionX, t.positionY, t.width, t.height].join();
        }
        """, seconds)).ShouldBe(place);

    private Task SelectAsync(string language) => page.EvaluateAsync(
        """
        language => {
          player.selectTextTrack(player.getTextTracks().find(t => t.language === language));
          // Before version 5 a selected track is still hidden.
          player.setTextTrackVisibility?.(true);
        }
        """, language);

    private async Task UntilAsync(string condition)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        while (!await page.EvaluateAsync<bool>($"Boolean({condition})"))
        {
            if (clock.GetElapsedTime(start) > Limit)
            {
                throw new TimeoutException($"Never: {condition}; " + await page.EvaluateAsync<string>(
                    "JSON.stringify({ at: video.currentTime, cues: cues(), problems })"));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, TestContext.Current.CancellationToken);
        }
    }

    private static string Shaka() => Path.Combine(
        Chromium.Checkout, "src/Dashboard/node_modules/shaka-player/dist/shaka-player.compiled-es2021.js");
}
