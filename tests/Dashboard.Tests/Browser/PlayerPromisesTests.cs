using System.Globalization;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Access;
using Hexcast.Platform.Hosting;
using Hexcast.Playback.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>What the pages with the player promise: every key, and what every other page holds to.</summary>
public sealed class PlayerPromisesTests(Chromium chromium) : IAsyncLifetime
{
    private const string Language = "hexcast.player.engine.language";

    /// <summary>One in twenty-five was seen to jump, by a tenth of the window.</summary>
    private static readonly int SlowLoads = int.Parse(
        Environment.GetEnvironmentVariable("HEXCAST_SLOW_LOADS") ?? "5", CultureInfo.InvariantCulture);

    private readonly string mediaId = PlaybackHost.NewMediaId();
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync()
    {
        host = await PlaybackHost.StartAsync(manualClock: true, new DashboardModule(), new Piecewise());
        await EncodedVersion.AddExtrasAsync(host, await EncodedVersion.PutAsync(host, mediaId));
        host.Catalog.Set(new MediaRecord
        {
            MediaId = mediaId, State = MediaState.Ready, Title = "Harbour at dawn", Filename = "harbour.mp4",
            Policy = "public", Version = EncodedVersion.Version, DurationSeconds = EncodedVersion.Seconds,
        });
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Each_row_of_the_keyboards_list_does_what_it_says()
    {
        await using var watched = await WatchedPage.OpenAsync(chromium, host.Url($"/watch/{mediaId}"));
        var page = watched.Page;
        await watched.UntilAsync("hexcast.stats");
        // Without a screen there is none to put a picture into.
        await page.EvaluateAsync("""
            window.video = document.querySelector('video');
            window.stats = document.querySelector('.stats');
            Object.defineProperty(document, 'pictureInPictureEnabled', { value: true });
            video.requestPictureInPicture = async () => { window.pictured = true; };
            video.volume = 0.5;
            0
            """);
        (string Does, string Key, string Before, string After)[] rows =
        [
            ("Play or pause", "Space", "video.paused", "!video.paused"),
            ("Play or pause", "k", "!video.paused", "video.paused"),
            ("Back or forward 5 seconds", "ArrowRight", Goes(1), "video.currentTime === 6"),
            ("Back or forward 5 seconds", "ArrowLeft", Goes(7), "video.currentTime === 2"),
            ("Back or forward 10 seconds", "l", Goes(2), "video.currentTime === 12"),
            ("Back or forward 10 seconds", "j", Goes(11), "video.currentTime === 1"),
            // The duration is the manifest's until the last segment is there, which may end a frame later.
            .. Enumerable.Range(0, 10).Select(tenth => (
                "Go to that tenth of the video", $"{tenth}", Goes(tenth == 5 ? 1 : 7),
                $"Math.abs(video.currentTime - video.duration * {tenth} / 10) < 0.1")),
            ("Louder or quieter", "ArrowUp", "video.volume === 0.5", "video.volume === 0.55"),
            ("Louder or quieter", "ArrowDown", "video.volume === 0.55", "video.volume === 0.5"),
            ("Sound off or on", "m", "!video.muted", "video.muted"),
            ("Sound off or on", "m", "video.muted", "!video.muted"),
            ("Slower or faster", ">", "video.playbackRate === 1", "video.playbackRate === 1.25"),
            ("Slower or faster", "<", "video.playbackRate === 1.25", "video.playbackRate === 1"),
            ("Subtitles on or off", "c", $"!{Language}", $"{Language} === 'en'"),
            ("Subtitles on or off", "c", $"{Language} === 'en'", $"!{Language}"),
            ("Full screen", "f", "!document.fullscreenElement", "document.fullscreenElement"),
            ("Full screen", "f", "document.fullscreenElement", "!document.fullscreenElement"),
            ("Picture in picture", "p", "!window.pictured", "window.pictured"),
            ("Statistics", "i", "stats.hidden", "!stats.hidden"),
            ("Statistics", "i", "!stats.hidden", "stats.hidden"),
            ("This list", "?", "!document.querySelector('dialog[open]')", "document.querySelector('dialog[open]')"),
        ];
        foreach (var (_, key, before, after) in rows)
        {
            await watched.UntilAsync(before);
            await page.Keyboard.PressAsync(key);
            await watched.UntilAsync(after, TimeSpan.FromSeconds(20));
        }

        (await page.Locator("dialog.shortcuts td").AllInnerTextsAsync()).Order()
            .ShouldBe(rows.Select(row => row.Does).Distinct().Order());
        await page.Keyboard.PressAsync("Escape");
        watched.ShouldHaveNoProblems();

        static string Goes(int seconds) =>
            $"((video.currentTime === {seconds} && !video.seeking) || ((video.currentTime = {seconds}), false))";
    }

    [Theory]
    [InlineData("watch")]
    [InlineData("embed")]
    public async Task A_page_with_the_player_is_light_and_sound_by_day_by_night_and_on_a_phone(string place)
    {
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url($"/{place}/{mediaId}"));
        await Expect(browsed.Page.GetByRole(AriaRole.Button, new() { Name = "Play" }).First).ToBeVisibleAsync();
        // An embedded one fetches nothing large before somebody plays it; on its own page it is what one came for.
        await Expect(browsed.Page.Locator("[data-part=total]")).ToHaveTextAsync("0:14");
        await browsed.ShouldBeLightAsync(place, player: place == "watch");
        await browsed.ShouldNotShiftAsync(place);
        await browsed.ShouldBeAccessibleAsync($"{place}, light");
        await browsed.SetSchemeAsync(ColorScheme.Dark);
        await browsed.ShouldBeAccessibleAsync($"{place}, dark");
        await browsed.Page.SetViewportSizeAsync(320, 640);
        await browsed.ShouldFitAsync($"{place}, 320 px");
        await browsed.Page.SetViewportSizeAsync(390, 844);
        await browsed.ShouldFitAsync($"{place}, 390 px");
        await browsed.ShouldHaveTouchTargetsAsync(place);
        await browsed.ShouldBeAccessibleAsync($"{place}, phone");
        browsed.ShouldHaveNoProblems();
    }

    /// <summary>On a slow line a page comes in pieces, and is painted in between.</summary>
    [Theory]
    [InlineData("watch", true)]
    [InlineData("watch", false)]
    [InlineData("embed", true)]
    [InlineData("embed", false)]
    public async Task Nothing_moves_while_a_page_comes_in_piece_by_piece(string place, bool expects)
    {
        await using var browsed = await BrowsedPage.OpenAsync(
            chromium, host.Url($"/piecewise/{place}/{mediaId}?expects={expects}"));
        await Expect(browsed.Page.Locator("[data-part=total]")).ToHaveTextAsync("0:14");
        await Expect(browsed.Page.Locator(".player-bar")).ToBeVisibleAsync();
        // A browser that does not wait for the whole page moves more than the player's bar.
        await browsed.ShouldNotShiftAsync($"{place}, in pieces", expects ? null : ".player *", limit: 0.0001);
        browsed.ShouldHaveNoProblems();
    }

    [Theory]
    [InlineData("watch")]
    [InlineData("embed")]
    public async Task A_slow_machine_that_sees_a_page_for_the_first_time_sees_nothing_move(string place)
    {
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url($"/{place}/{mediaId}"));
        var devtools = await browsed.Page.Context.NewCDPSessionAsync(browsed.Page);
        await devtools.SendAsync("Emulation.setCPUThrottlingRate", new() { ["rate"] = 6 });
        await devtools.SendAsync("Network.enable");
        await devtools.SendAsync("Network.setCacheDisabled", new() { ["cacheDisabled"] = true });
        for (var load = 0; load < SlowLoads; load++)
        {
            await browsed.GoAsync(host.Url($"/{place}/{mediaId}"));
            await Expect(browsed.Page.Locator("[data-part=total]")).ToHaveTextAsync("0:14");
            await browsed.ShouldNotShiftAsync($"{place}, load {load}");
        }

        browsed.ShouldHaveNoProblems();
    }

    /// <summary>The same pages, cut where the player's bar is made.</summary>
    private sealed class Piecewise : RoleModule
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(120);

        private static readonly string[] Cuts =
        [
            "<div class=\"player-buttons\">", "<input data-part=\"volume\"", "<span class=\"player-gap\">",
            "<button class=\"player-button\" data-part=\"settings\"", "<div class=\"player-menu\"", "</main>",
        ];

        public override void AddServices(RoleBuilder role)
        {
        }

        public override void MapHttp(IEndpointRouteBuilder http) => http.MapGet("/piecewise/{**path}", AnswerAsync)
            .AllowAnyone().Page(embeddable: true).ExcludeFromDescription();

        private static async Task AnswerAsync(HttpContext context, string path, bool expects)
        {
            using var client = new HttpClient();
            using var whole = await client.GetAsync(
                new Uri($"http://{context.Request.Host}/{path}"), context.RequestAborted);
            var html = await whole.Content.ReadAsStringAsync(context.RequestAborted);
            html = expects ? html : html.Replace("rel=\"expect\"", "rel=\"unknown\"", StringComparison.Ordinal);
            context.Response.ContentType = "text/html; charset=utf-8";
            var from = 0;
            foreach (var cut in Cuts.Append(null))
            {
                var at = cut is null ? html.Length : html.IndexOf(cut, from, StringComparison.Ordinal);
                at.ShouldBeGreaterThan(from, cut);
                await context.Response.WriteAsync(html[from..at], context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(Pause, context.RequestAborted);
                from = at;
            }
        }
    }
}
