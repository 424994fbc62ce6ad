using System.Text.RegularExpressions;
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

/// <summary>
/// The player in a real browser, with really encoded segments and a catalogue that the test holds. Each test leaves
/// pictures in artifacts/screenshots.
/// </summary>
public sealed partial class WatchPageTests(Chromium chromium) : IAsyncLifetime
{
    /// <summary>Somebody without a credential that may read.</summary>
    private static readonly (string, string) Stranger = ("X-Principal", "elsewhere;upload");

    private readonly string mediaId = PlaybackHost.NewMediaId();
    private PlaybackHost host = null!;
    private WatchedPage watched = null!;

    private IPage Page => watched.Page;

    public async ValueTask InitializeAsync() =>
        host = await PlaybackHost.StartAsync(manualClock: true, new DashboardModule(), new Elsewhere());

    public async ValueTask DisposeAsync()
    {
        if (watched is not null)
        {
            await watched.DisposeAsync();
        }

        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_ready_video_plays_and_is_steered_by_its_bar_and_its_menu()
    {
        await PutReadyAsync();
        await OpenAsync();
        await watched.UntilAsync("hexcast.stats");
        await watched.TakePictureAsync("watch-ready-light");
        await watched.ShouldBeAccessibleAsync("ready");
        await watched.ShouldNotHaveShiftedAsync();

        await watched.Button("Play").First.ClickAsync();
        await watched.ShouldAdvanceAsync();
        // However long each step takes, it does not end before the last one.
        await Page.EvaluateAsync("""
            () => {
              const video = document.querySelector('video');
              video.loop = true;
              window.sought = [];
              video.addEventListener('seeked', () => sought.push(video.currentTime));
            }
            """);
        await watched.KeepAwakeAsync();
        var seek = Page.GetByRole(AriaRole.Slider, new() { Name = "Seek" });
        var box = (await seek.BoundingBoxAsync())!;
        await Page.Mouse.MoveAsync(box.X + (box.Width / 2), box.Y + (box.Height / 2));
        await Expect(Page.Locator(".seek-time")).ToHaveTextAsync("0:07");
        await Page.Mouse.DownAsync();
        await Page.Mouse.MoveAsync(box.X + (box.Width * 9 / EncodedVersion.Seconds) + 1, box.Y + (box.Height / 2));
        await Page.Mouse.UpAsync();
        await watched.UntilAsync("sought.some((time) => Math.abs(time - 9) < 0.5)");
        await watched.ShouldAdvanceAsync();
        (await seek.GetAttributeAsync("aria-valuetext")).ShouldEndWith("of 14 seconds");

        await watched.ChooseAsync("Quality", "120p");
        await watched.SeekAsync(1);
        await watched.UntilAsync("hexcast.stats.height === 120");
        await watched.ChooseAsync("Quality", "180p");
        await watched.UntilAsync("hexcast.stats.height === 180");
        await watched.ShouldAdvanceAsync();
        await watched.ChooseAsync("Speed", "2×");
        await watched.UntilAsync("document.querySelector('video').playbackRate === 2");

        await watched.ChooseAsync("Delivery", "DASH");
        await watched.UntilAsync("hexcast.stats?.format === 'dash'");
        await watched.ShouldAdvanceAsync();
        (await Page.EvaluateAsync<string>("hexcast.player.engine.shaka.getAssetUri()")).ShouldContain("manifest.mpd");
        await watched.ChooseAsync("Quality", "Auto");
        await Page.EvaluateAsync("document.querySelector('video').loop = false");
        await watched.SeekAsync(12);
        await watched.UntilAsync("document.querySelector('video').ended");
        (await Page.EvaluateAsync<double>("document.querySelector('video').duration"))
            .ShouldBe(EncodedVersion.Seconds, tolerance: 0.1);
        await watched.TakePictureAsync("watch-ended");
        await Page.EvaluateAsync("sought.length = 0");
        await watched.Button("Play again").First.ClickAsync();
        await watched.UntilAsync("sought.some((time) => time < 1) && !document.querySelector('video').paused");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_seek_while_another_qualitys_header_is_on_its_way_is_not_forgotten()
    {
        await PutReadyAsync();
        await OpenAsync();
        await watched.PlayAsync();
        var asked = new TaskCompletionSource();
        var sought = new TaskCompletionSource();
        await Page.RouteAsync("**/init.mp4*", async route =>
        {
            asked.TrySetResult();
            await sought.Task;
            await route.ContinueAsync();
        });
        await watched.ChooseAsync("Quality", "120p");
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await Page.EvaluateAsync("document.querySelector('video').currentTime = 9");
        await Page.UnrouteAllAsync(new() { Behavior = UnrouteBehavior.IgnoreErrors });
        sought.SetResult();
        await watched.UntilAsync("hexcast.stats.currentTime > 9.5 && hexcast.stats.height === 120");
    }

    [Fact]
    public async Task The_statistics_are_the_videos_own()
    {
        await PutReadyAsync();
        await OpenAsync(dark: true);
        await watched.PlayAsync();
        await Page.Keyboard.PressAsync("i");
        var statistics = Page.GetByRole(AriaRole.Region, new() { Name = "Statistics" });
        await Expect(statistics).ToContainTextAsync("320 × 180");
        await Expect(statistics).ToContainTextAsync("avc1");
        await Expect(statistics).ToContainTextAsync(EncodedVersion.Version);
        await Expect(statistics).ToContainTextAsync(SegmentWait());
        var frames = await statistics.GetByText("decoded").InnerTextAsync();
        int.Parse(frames.Split(' ')[0]).ShouldBeGreaterThan(5);
        await watched.TakePictureAsync("watch-statistics-dark");
        await watched.ShouldBeAccessibleAsync("statistics");
        await Page.Keyboard.PressAsync("i");
        await Expect(statistics).ToBeHiddenAsync();
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task Subtitles_are_shown_when_asked_for_and_the_bar_shows_the_picture_of_where_one_points()
    {
        var index = await EncodedVersion.PutAsync(host, mediaId);
        await EncodedVersion.AddExtrasAsync(host, index);
        Show(MediaState.Ready);
        await OpenAsync(dark: true);
        await watched.UntilAsync("hexcast.stats");
        await watched.ChooseAsync("Subtitles", "English");
        await watched.SeekAsync(1);
        await watched.PlayAsync();
        // On a busy machine the video would be over before one looks.
        await Page.EvaluateAsync("document.querySelector('video').pause()");
        await watched.SeekAsync(3);
        await Expect(Page.Locator(".shaka-text-container")).ToContainTextAsync("Good morning");
        await watched.PlayAsync();
        await Expect(watched.Button("Subtitles")).ToHaveAttributeAsync("aria-pressed", "true");

        var seek = Page.GetByRole(AriaRole.Slider, new() { Name = "Seek" });
        var box = (await seek.BoundingBoxAsync())!;
        await Page.Mouse.MoveAsync(box.X + (box.Width * 8 / EncodedVersion.Seconds), box.Y + (box.Height / 2));
        var tile = Page.Locator(".seek-tile");
        await Expect(tile).ToBeVisibleAsync();
        await Expect(tile).ToHaveCSSAsync("background-position", "-160px 0px");
        (await tile.EvaluateAsync<string>("e => getComputedStyle(e).backgroundImage")).ShouldContain("storyboard");
        await watched.TakePictureAsync("watch-playing-dark");

        await Page.Mouse.MoveAsync(10, 10);
        await Page.Keyboard.PressAsync("c");
        await Expect(watched.Button("Subtitles")).ToHaveAttributeAsync("aria-pressed", "false");
        await Expect(Page.Locator(".shaka-text-container")).ToHaveCountAsync(0);
        watched.ShouldHaveNoProblems();
    }

    [Theory]
    [InlineData("HLS")]
    [InlineData("DASH")]
    public async Task A_growing_video_plays_from_its_start_and_on_to_its_end(string format)
    {
        await host.WaitForFollowerAsync();
        await EncodedVersion.PutAsync(host, mediaId, segments: 1);
        Show(MediaState.Playable);
        await OpenAsync();
        await watched.UntilAsync("hexcast.stats");
        if (format == "DASH")
        {
            await watched.ChooseAsync("Delivery", "DASH");
            await watched.UntilAsync("hexcast.stats?.format === 'dash' && hexcast.stats.growing");
        }

        await watched.PlayAsync();
        await watched.KeepAwakeAsync();
        (await Page.EvaluateAsync<double>("document.querySelector('video').played.start(0)")).ShouldBeLessThan(1);
        await Expect(Page.Locator("#state")).ToHaveTextAsync("Still in the works");
        await Expect(Page.GetByText("still growing", new() { Exact = true })).ToBeVisibleAsync();
        // The whole length is known; what is not made yet is marked on the bar.
        await Expect(Page.Locator("[data-part=total]")).ToHaveTextAsync("0:14");
        await watched.TakePictureAsync($"watch-growing-{format.ToLowerInvariant()}");

        await EncodedVersion.PutAsync(host, mediaId);
        host.Catalog.TellChange(mediaId);
        Show(MediaState.Ready);
        await watched.UntilAsync("hexcast.stats.currentTime > 6");
        await watched.UntilAsync("!hexcast.stats.growing");
        await Expect(Page.Locator("#state")).ToBeHiddenAsync();
        await watched.SeekAsync(12);
        await watched.UntilAsync("document.querySelector('video').ended");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_signed_video_plays_for_one_who_may_read_and_a_token_that_runs_out_is_replaced()
    {
        await EncodedVersion.PutAsync(host, mediaId, policy: "signed", segments: 1);
        Show(MediaState.Playable, m => m.Policy = "signed");
        await OpenAsync();
        await watched.PlayAsync();
        var first = await Page.EvaluateAsync<string>("hexcast.player.engine.shaka.getAssetUri()");
        first.ShouldContain("?token=ey");
        // The plain address opens to nobody else: no copy of it, the way to one that does.
        await Expect(watched.Button("Copy link")).ToHaveCountAsync(0);
        await Expect(Page.Locator($".watch-actions [href='/media/{mediaId}#share-title']")).ToBeVisibleAsync();
        await EncodedVersion.PutAsync(host, mediaId, policy: "signed");
        host.Clock.Advance(TimeSpan.FromHours(2));
        await watched.UntilAsync("hexcast.stats?.currentTime > 6");
        (await Page.EvaluateAsync<string>("hexcast.player.engine.shaka.getAssetUri()")).ShouldNotBe(first);
        await Expect(Page.Locator("[data-part=curtain]")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_signed_video_is_closed_to_strangers_but_for_a_link_and_until_that_runs_out()
    {
        await EncodedVersion.PutAsync(host, mediaId, policy: "signed", segments: 1);
        Show(MediaState.Playable, m => m.Policy = "signed");
        await OpenAsync(expectStatus: 401, header: Stranger);
        await Expect(Page.Locator("h2")).ToHaveTextAsync("This video is private");
        (await Page.ContentAsync()).ShouldNotContain("Harbour");
        await watched.ShouldBeAccessibleAsync("private");
        await watched.TakePictureAsync("watch-private");
        await watched.DisposeAsync();

        using var made = await host.Http.PostAsync($"/v1/media/{mediaId}/playback", content: null);
        var links = System.Text.Json.Nodes.JsonNode.Parse(await made.Content.ReadAsStringAsync())!;
        await OpenAsync(query: $"?token={links["token"]}", header: Stranger);
        await watched.PlayAsync();
        await EncodedVersion.PutAsync(host, mediaId, policy: "signed");
        host.Clock.Advance(TimeSpan.FromHours(2));
        await Expect(Page.Locator("[data-part=curtain-title]")).ToHaveTextAsync("This link has run out");
        await Expect(Page.Locator("[data-part=curtain-code]")).ToHaveTextAsync("token_expired");
        await watched.TakePictureAsync("watch-expired");
    }

    [Fact]
    public async Task A_video_in_the_works_shows_how_far_it_is_and_is_there_by_itself()
    {
        Show(MediaState.Processing);
        host.Catalog.Describe = listed => (listed.Stage, listed.Fraction) = ("encode", 0.25);
        await OpenAsync();
        await Expect(Page.Locator("[data-part=curtain-title]")).ToHaveTextAsync("Getting ready");
        await Expect(Page.Locator("[data-part=curtain-words]")).ToHaveTextAsync("Encoding the first part · 25 %");
        await watched.ShouldBeAccessibleAsync("processing");
        await watched.TakePictureAsync("watch-processing-light");
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await watched.TakePictureAsync("watch-processing-dark");
        // Nothing large was fetched for a picture that is not there.
        (await Page.EvaluateAsync<int>(
            "performance.getEntriesByType('resource').filter((e) => /shaka/.test(e.name)).length")).ShouldBe(0);

        await PutReadyAsync();
        host.Catalog.TellChange(mediaId);
        await Expect(Page.Locator("[data-part=curtain]")).ToBeHiddenAsync();
        await watched.PlayAsync();
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_failed_video_says_so_and_why_only_to_those_who_can_do_something_about_it()
    {
        Show(MediaState.Failed, m => m.Error = new MediaError
        {
            Code = "source_truncated", Message = "The file ends before its own index. Upload it again: <b>whole</b>.",
        });
        await OpenAsync(dark: true);
        await Expect(Page.Locator("[data-part=curtain-words]")).ToContainTextAsync("Upload it again: <b>whole</b>.");
        await Expect(Page.Locator("[data-part=curtain-code]")).ToHaveTextAsync("source_truncated");
        await watched.TakePictureAsync("watch-failed-dark");
        await watched.DisposeAsync();

        await OpenAsync(header: Stranger);
        await Expect(Page.Locator("[data-part=curtain-title]")).ToHaveTextAsync("This video could not be prepared");
        await Expect(Page.Locator("[data-part=curtain-words]")).ToContainTextAsync("can see why");
        (await Page.ContentAsync()).ShouldNotContain("truncated");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_video_that_goes_while_one_watches_is_gone_and_a_lost_server_is_tried_again()
    {
        await EncodedVersion.PutAsync(host, mediaId, segments: 1);
        Show(MediaState.Playable);
        await OpenAsync();
        await watched.PlayAsync();
        host.Catalog.Remove(mediaId);
        host.Catalog.TellChange(mediaId, MediaChange.Types.Kind.Deleted);
        await Expect(Page.Locator("[data-part=curtain-title]")).ToHaveTextAsync("This video is gone");
        await Expect(watched.Button("Try again")).ToBeHiddenAsync();
        await watched.TakePictureAsync("watch-gone");
    }

    [Fact]
    public async Task Segments_that_cannot_be_had_end_in_words_and_another_try_goes_on()
    {
        await PutReadyAsync();
        await OpenAsync(query: "?t=1");
        await watched.UntilAsync("hexcast.stats?.currentTime >= 1");
        // Of the segments that are fetched before, none is missing.
        await watched.UntilAsync(
            "['video', 'audio'].every((kind) => hexcast.player.engine.shaka.getBufferedInfo()[kind][0]?.end > 13.5)");
        await Page.RouteAsync("**/*.m4s*", route => route.FulfillAsync(new()
        {
            Status = 404, ContentType = "application/problem+json", Body = """{"code":"not_found","status":404}""",
        }));
        await watched.ChooseAsync("Delivery", "DASH");
        await Expect(Page.Locator("[data-part=curtain-title]")).ToHaveTextAsync("The video is no longer there");
        await watched.TakePictureAsync("watch-trouble");
        await Page.UnrouteAllAsync();
        await watched.Button("Try again").ClickAsync();
        await Expect(Page.Locator("[data-part=curtain]")).ToBeHiddenAsync();
        await watched.PlayAsync();
    }

    [Fact]
    public async Task An_address_that_leads_nowhere_says_so()
    {
        await OpenAsync(expectStatus: 404);
        await Expect(Page.Locator("h2")).ToHaveTextAsync("There is no such video");
        await watched.ShouldBeAccessibleAsync("unknown");
        await watched.TakePictureAsync("watch-unknown");
    }

    [Fact]
    public async Task The_keyboard_does_what_its_list_says_and_the_docs_say_the_same()
    {
        await PutReadyAsync();
        await OpenAsync();
        await watched.UntilAsync("hexcast.stats");
        await Page.Keyboard.PressAsync("k");
        await watched.UntilAsync("!document.querySelector('video').paused");
        await Page.Keyboard.PressAsync("m");
        await watched.UntilAsync("document.querySelector('video').muted");
        await Page.Keyboard.PressAsync("l");
        await watched.UntilAsync("hexcast.stats.currentTime > 9");
        await Page.Keyboard.PressAsync("0");
        await watched.UntilAsync("hexcast.stats.currentTime < 9");
        await Page.Keyboard.PressAsync("ArrowRight");
        await watched.UntilAsync("hexcast.stats.currentTime >= 5");
        await Page.Keyboard.PressAsync(">");
        await watched.UntilAsync("document.querySelector('video').playbackRate === 1.25");
        await Page.Keyboard.PressAsync("Space");
        await watched.UntilAsync("document.querySelector('video').paused");

        // The focused bar: its own steps, and a screen reader's words for them.
        var seek = Page.GetByRole(AriaRole.Slider, new() { Name = "Seek" });
        await seek.FocusAsync();
        await Page.Keyboard.PressAsync("Home");
        await watched.UntilAsync("hexcast.stats.currentTime === 0");
        await Expect(seek).ToHaveAttributeAsync("aria-valuetext", "0 seconds of 14 seconds");
        await Expect(Page.Locator(".seek-time")).ToHaveTextAsync("0:00");

        // The menu, without a pointer.
        await watched.Button("Settings").FocusAsync();
        await Page.Keyboard.PressAsync("Enter");
        await Page.Keyboard.PressAsync("ArrowDown");
        await Page.Keyboard.PressAsync("ArrowRight");
        await Page.Keyboard.PressAsync("ArrowDown");
        await watched.TakePictureAsync("watch-menu-speed", full: false);
        await watched.ShouldBeAccessibleAsync("menu");
        await Page.Keyboard.PressAsync("Enter");
        await watched.UntilAsync("document.querySelector('video').playbackRate === 1.5");
        await Expect(watched.Button("Settings")).ToBeFocusedAsync();

        await Page.Keyboard.PressAsync("?");
        var rows = Page.Locator("dialog.shortcuts tr");
        await Expect(Page.Locator("dialog.shortcuts")).ToBeVisibleAsync();
        await watched.TakePictureAsync("watch-keyboard", full: false);
        await watched.ShouldBeAccessibleAsync("keyboard list");
        var docs = await File.ReadAllTextAsync(Path.Combine(Chromium.Checkout, "docs", "api", "playback.md"));
        for (var i = 0; i < await rows.CountAsync(); i++)
        {
            var keys = await rows.Nth(i).Locator("kbd").AllInnerTextsAsync();
            var does = await rows.Nth(i).Locator("td").InnerTextAsync();
            docs.ShouldContain($"| {string.Join(' ', keys.Select(k => $"`{k}`"))} | {does} |");
        }

        await Page.Keyboard.PressAsync("Escape");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task What_a_viewer_chose_is_remembered()
    {
        await PutReadyAsync();
        await OpenAsync();
        await watched.UntilAsync("hexcast.stats");
        await watched.ChooseAsync("Speed", "1.5×");
        for (var i = 0; i < 4; i++)
        {
            await Page.Keyboard.PressAsync("ArrowDown");
        }

        await Page.ReloadAsync();
        await watched.UntilAsync("hexcast.stats");
        await watched.UntilAsync(
            "document.querySelector('video').playbackRate === 1.5 && document.querySelector('video').volume === 0.8");
    }

    [Theory]
    [InlineData("watch-phone-light", false)]
    [InlineData("watch-phone-dark", true)]
    public async Task On_a_phone_taps_show_the_controls_and_double_taps_jump(string picture, bool dark)
    {
        await PutReadyAsync(
            "A long title that somebody gave: the_whole_name_of_the_file_from_the_camera_20261122_take_3");
        await OpenAsync(dark: dark, width: 320, height: 640, touch: true);
        await watched.PlayAsync();
        await watched.UntilAsync("document.querySelector('.player').classList.contains('is-idle')");
        await Page.Touchscreen.TapAsync(40, 100);
        await watched.UntilAsync("!document.querySelector('.player').classList.contains('is-idle')");
        await watched.TakePictureAsync(picture);
        await watched.ShouldFitAsync("320 px");
        await watched.ShouldBeAccessibleAsync("phone");
        await watched.SeekAsync(1);
        await Page.Touchscreen.TapAsync(290, 100);
        await Page.Touchscreen.TapAsync(290, 100);
        await watched.UntilAsync("hexcast.stats.currentTime > 10");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task An_embedded_player_plays_within_another_sites_page_and_fetches_nothing_before()
    {
        await PutReadyAsync();
        await OpenAsync();
        // The same machine by another name is another site.
        await Page.GotoAsync(
            new UriBuilder(host.Url($"/elsewhere/{mediaId}")) { Host = "localhost" }.Uri.ToString());
        var play = Page.FrameLocator("iframe").GetByRole(AriaRole.Button, new() { Name = "Play" }).First;
        await Expect(play).ToBeVisibleAsync();
        var frame = Page.Frames.Single(f => f.Url.Contains("/embed/", StringComparison.Ordinal));
        (await frame.EvaluateAsync<int>(
            "performance.getEntriesByType('resource').filter((e) => /shaka|m4s/.test(e.name)).length")).ShouldBe(0);
        await watched.TakePictureAsync("embed");
        await play.ClickAsync();
        await Wait.ForAsync(
            () => frame.EvaluateAsync<bool>("hexcast.stats?.currentTime > 1 && hexcast.stats.frames > 10"),
            TimeSpan.FromMinutes(1),
            () => "the embedded player does not play");
        watched.ShouldHaveNoProblems();
    }

    [GeneratedRegex(@"\d+ ms \+ \d+ ms, \d", RegexOptions.None, 1000)]
    private static partial Regex SegmentWait();

    private async Task OpenAsync(
        bool dark = false,
        int width = 1280,
        int height = 860,
        int expectStatus = 200,
        bool touch = false,
        string query = "",
        (string, string)? header = null)
    {
        watched = await WatchedPage.OpenAsync(
            chromium, host.Url($"/watch/{mediaId}{query}"), dark, width, height, touch, header);
        watched.Status.ShouldBe(expectStatus);
    }

    private async Task PutReadyAsync(string title = "Harbour at dawn")
    {
        await EncodedVersion.PutAsync(host, mediaId);
        Show(MediaState.Ready, m => m.Title = title);
    }

    private void Show(MediaState state, Action<MediaRecord>? change = null)
    {
        var record = new MediaRecord
        {
            MediaId = mediaId,
            State = state,
            Title = "Harbour at dawn",
            Filename = "harbour.mp4",
            Policy = "public",
            Version = EncodedVersion.Version,
            DurationSeconds = EncodedVersion.Seconds,
        };
        change?.Invoke(record);
        host.Catalog.Set(record);
    }

    /// <summary>Another site's page, with the embed code that the media page gives.</summary>
    private sealed class Elsewhere : RoleModule
    {
        public override void AddServices(RoleBuilder role)
        {
        }

        public override void MapHttp(IEndpointRouteBuilder http) => http.MapGet(
            "/elsewhere/{id}",
            (string id, HttpRequest request) => Results.Content(
                $"""
                <!DOCTYPE html><title>Another site</title><link rel="icon" href="data:,"><h1>Another site</h1>
                <iframe src="http://127.0.0.1:{request.Host.Port}/embed/{id}" width="640" height="360"
                  allow="autoplay; fullscreen; picture-in-picture"></iframe>
                """,
                "text/html")).AllowAnyone().ExcludeFromDescription();
    }
}
