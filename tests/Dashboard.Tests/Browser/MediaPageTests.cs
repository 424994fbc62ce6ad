using System.Text.Json.Nodes;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>The media page with a job that the test holds: many parts, failures, live changes.</summary>
public sealed class MediaPageTests(Chromium chromium) : IAsyncLifetime
{
    private const int Chunks = SampleMedia.Chunks;

    private readonly MediaApi api = new();
    private readonly string mediaId = PlaybackHost.NewMediaId();
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() =>
        host = await PlaybackHost.StartAsync(manualClock: false, new DashboardModule(), api);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Hundreds_of_parts_stay_a_picture_and_change_while_one_looks()
    {
        Show(
            "processing", MediaState.Processing, SampleMedia.Tasks(done: 100, running: 2),
            media => media["renditions"] = SampleMedia.Renditions());
        await using var opened = await OpenAsync();
        var page = opened.Page;
        await Expect(page.Locator(".cell")).ToHaveCountAsync(Chunks);
        await Expect(page.Locator(".cell[data-state=committed]")).ToHaveCountAsync(100);
        await Expect(page.Locator(".lane-words")).ToHaveTextAsync("100 of 240 · 4.2×");
        await opened.TakePictureAsync("media-many-light");
        await opened.ShouldBeAccessibleAsync("many parts");

        // One stop in the tab order; within it the arrows move.
        await page.Locator(".cell[tabindex='0']").FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("[data-part=task] h3")).ToHaveTextAsync("Picture, Part 3");

        api.Progress(SampleMedia.Tasks(done: 180, running: 2));
        await Expect(page.Locator(".cell[data-state=committed]")).ToHaveCountAsync(180);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await opened.TakePictureAsync("media-many-dark");
        await page.SetViewportSizeAsync(320, 700);
        await Expect(page.Locator("[data-part=renditions] tbody tr")).ToHaveCountAsync(2);
        await opened.ShouldFitAsync("320 px");
        await page.SetViewportSizeAsync(390, 844);
        await opened.ShouldFitAsync("390 px");
        await opened.TakePictureAsync("media-many-phone");
        opened.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_part_that_failed_is_found_at_once_and_says_why_in_ffmpegs_words()
    {
        var (tasks, failure) = SampleMedia.Failed();
        Show("failed", MediaState.Failed, tasks, media => media["error"] = failure);
        await using var opened = await OpenAsync();
        var page = opened.Page;
        await Expect(page.Locator("[data-part=task] h3").First).ToHaveTextAsync("Picture, Part 9");
        await Expect(page.Locator("[data-part=failure]")).ToBeVisibleAsync();
        // Once on the whole page, and nothing to do with what there is not.
        await Expect(page.Locator(".failure-message")).ToHaveTextAsync(["ffmpeg ended with 1: <b>Invalid data</b>"]);
        await Expect(page.Locator(".log")).ToContainTextAsync(["error while decoding MB 41 22"]);
        await Expect(page.Locator("[data-part=watch]")).ToBeHiddenAsync();
        await Expect(page.Locator("[data-part=share]")).ToBeHiddenAsync();
        await opened.ShouldBeAccessibleAsync("failed part");
        await opened.ShouldNotHaveShiftedAsync();
        await opened.TakePictureAsync("media-part-failed-light");
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await opened.ShouldBeAccessibleAsync("failed part, dark");
        await opened.TakePictureAsync("media-part-failed-dark");
        opened.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task An_embed_code_is_made_with_the_options_that_one_chooses()
    {
        var tasks = SampleMedia.Tasks(done: 4, running: 0, chunks: 4);
        Show("ready", MediaState.Ready, tasks, media => media["subtitles"] = new JsonArray(
            new JsonObject { ["id"] = "sub-de", ["language"] = "de", ["label"] = "Deutsch" }));
        await using var opened = await OpenAsync();
        var page = opened.Page;
        await Expect(page.Locator("[data-part=facts]")).ToContainTextAsync("MP4 or QuickTime");
        await page.GetByText("Options of the embed code").ClickAsync();
        await page.GetByLabel("Starts at").FillAsync("12.5");
        await page.GetByLabel("Ends at").FillAsync("soon");
        await page.Locator("[data-embed] select").SelectOptionAsync("de");
        await page.GetByLabel("Autoplay, muted").CheckAsync();
        await page.GetByLabel("Loop").CheckAsync();
        await page.GetByLabel("Without controls").CheckAsync();
        (await page.GetByLabel("Embed code", new() { Exact = true }).InputValueAsync()).ShouldContain(
            $"/embed/{mediaId}?start=12.5&amp;lang=de&amp;autoplay=1&amp;muted=1&amp;loop=1&amp;controls=0\"");
        await opened.TakePictureAsync("media-embed-options");
        await opened.ShouldBeAccessibleAsync("embed options");
        await page.SetViewportSizeAsync(320, 700);
        await opened.ShouldFitAsync("320 px");
        opened.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task The_graph_has_a_line_for_each_need()
    {
        Show("processing", MediaState.Processing, SampleMedia.Tasks(done: 5, running: 1, chunks: 6));
        await using var opened = await OpenAsync();
        var page = opened.Page;
        // Parts, sound and poster need the probe; publishing needs these three, and the probe through them.
        await Expect(page.Locator(".graph-edges path")).ToHaveCountAsync(6);
        // From what is done to what waits or is done too: the sound, the poster, and publishing from the poster.
        await Expect(page.Locator(".graph-edges .edge-done")).ToHaveCountAsync(3);
    }

    [Fact]
    public async Task Renditions_tell_their_size_and_rates_and_the_sum()
    {
        Show(
            "processing", MediaState.Processing, SampleMedia.Tasks(done: 1, running: 1, chunks: 2),
            media => media["renditions"] = SampleMedia.Renditions());
        await using var opened = await OpenAsync();
        var rows = opened.Page.Locator("[data-part=renditions] tbody tr");
        await Expect(rows.Nth(0).Locator("th, td")).ToHaveTextAsync([
            "2160phevc-2160-main10-high-tier", "3840 × 2160, 29.97 fps", "hvc1.2.4.H153.B0.00.00.00.00.00",
            "24.0 Mbit/speak 36.5 Mbit/s", "17.3 GB1440 segments"]);
        await Expect(rows.Nth(1).Locator("th, td")).ToHaveTextAsync([
            "Soundaac-128", "2 channels, 48 kHz", "mp4a.40.2", "128 kbit/speak 131 kbit/s", "92.2 MB1440 segments"]);
        await Expect(opened.Page.Locator("[data-total]")).ToHaveTextAsync("17.4 GB together");
    }

    [Theory]
    [InlineData("processing", false, "–")]
    [InlineData("playable", true, "Deutsch; in the player once the media is ready")]
    [InlineData("ready", true, "Deutsch")]
    [InlineData("ready", false, "none")]
    public async Task Subtitles_are_told_as_they_are_found_and_their_lack_once_it_is_known(
        string state, bool found, string told)
    {
        var tasks = SampleMedia.Tasks(done: 4, running: 0, chunks: 4);
        Show(state, MediaState.Processing, tasks, media => media["subtitles"] = !found ? [] : new JsonArray(
            new JsonObject { ["id"] = "sub-de", ["language"] = "de", ["label"] = "Deutsch" }));
        await using var opened = await OpenAsync();
        await Expect(Fact(opened.Page.Locator("[data-part=facts]"), "Sound")).ToHaveTextAsync("aac");
        await Expect(Fact(opened.Page.Locator("[data-part=facts]"), "Subtitles")).ToHaveTextAsync(told);
    }

    [Fact]
    public async Task What_is_known_stands_there_while_the_api_does_not_answer_and_the_rest_comes_with_it()
    {
        Show("processing", MediaState.Processing, SampleMedia.Tasks(done: 1, running: 1, chunks: 2));
        api.Refusal = Results.Text("<h1>Bad gateway, says the proxy</h1>", "text/html", statusCode: 502);
        api.Events.Refuse(502);
        await using var opened = await OpenAsync();
        var page = opened.Page;
        await Expect(page.Locator("[data-part=notice]")).ToHaveTextAsync("The server answered 502.");
        await Expect(page.Locator("#media")).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(Fact(page.Locator("[data-part=facts]"), "File")).ToHaveTextAsync("A001_C003_1122.mov");
        await Expect(Fact(page.Locator("[data-part=facts]"), "Size")).ToHaveTextAsync("9.5 GB");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Work" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Edit" })).ToBeDisabledAsync();
        await opened.ShouldBeAccessibleAsync("no answer");
        await opened.TakePictureAsync("media-trouble-light");

        api.Refusal = null;
        api.Events.Accept();
        await Expect(page.Locator(".cell")).ToHaveCountAsync(2);
        await Expect(page.Locator("[data-part=notice]")).ToBeHiddenAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Edit" })).ToBeEnabledAsync();
        await Expect(page.Locator("#away")).ToBeEmptyAsync();
    }

    [Fact]
    public async Task A_media_that_changed_while_its_events_were_refused_is_shown_as_it_is()
    {
        Show("processing", MediaState.Processing, SampleMedia.Tasks(done: 1, running: 1, chunks: 2));
        await using var opened = await OpenAsync();
        var page = opened.Page;
        await Expect(page.Locator(".cell[data-state=committed]")).ToHaveCountAsync(1);
        api.Events.Refuse(503);
        await Expect(page.Locator("#away")).Not.ToBeEmptyAsync();
        api.Put(SampleMedia.Json(mediaId, "ready", SampleMedia.Tasks(done: 2, running: 0, chunks: 2)));
        api.Events.Accept();
        await Expect(page.Locator("#state")).ToHaveTextAsync("Ready");
        await Expect(page.Locator(".cell[data-state=committed]")).ToHaveCountAsync(2);
        api.Progress(new JsonArray(SampleMedia.Job("audio", "encode_audio", "committed", 2, 3, ["probe"])));
        await Expect(page.Locator("[data-kind=encode_audio] [data-state=committed]")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task An_answer_that_comes_after_a_later_change_undoes_nothing()
    {
        JsonObject Titled(string title, int version)
        {
            var media = SampleMedia.Json(mediaId, "ready", SampleMedia.Tasks(done: 2, running: 0, chunks: 2));
            (media["title"], media["row_version"]) = (title, version);
            return media;
        }

        Show("ready", MediaState.Ready, SampleMedia.Tasks(done: 2, running: 0, chunks: 2));
        await using var opened = await OpenAsync();
        var page = opened.Page;
        await Expect(page.Locator(".cell")).ToHaveCountAsync(2);
        var asked = new TaskCompletionSource();
        var overtaken = new TaskCompletionSource();
        var (answered, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        await page.RouteAsync($"**/v1/media/{mediaId}", async route =>
        {
            var answer = await route.FetchAsync();
            var isFirst = asked.TrySetResult();
            await (isFirst ? overtaken.Task : Task.CompletedTask);
            await route.FulfillAsync(new() { Response = answer });
            (isFirst ? answered : second).TrySetResult();
        });
        api.Set(Titled("Theirs", version: 4));
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        api.Set(Titled("Mine", version: 5));
        await Expect(page.Locator("h1").First).ToHaveTextAsync("Mine");
        await second.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        overtaken.SetResult();
        await answered.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        // What the page makes of it, it makes in its next turn.
        await page.EvaluateAsync("() => new Promise((done) => setTimeout(done, 300))");
        await Expect(page.Locator("h1").First).ToHaveTextAsync("Mine");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_script_what_is_known_is_there_and_what_is_not_is_named(bool failed)
    {
        Show(
            failed ? "failed" : "ready", failed ? MediaState.Failed : MediaState.Ready,
            SampleMedia.Tasks(done: 2, running: 0, chunks: 2),
            media => media["error"] = !failed ? null : new JsonObject
            {
                ["code"] = "source_truncated", ["message"] = "The file ends too early.", ["log_tail"] = "",
            });
        await using var browsed = await BrowsedPage.OpenAsync(
            chromium, host.Url($"/media/{mediaId}"), script: false);
        var page = browsed.Page;
        await Expect(page.Locator("h1")).ToContainTextAsync("Recording of the whole conference");
        await Expect(page.Locator("#state")).ToHaveTextAsync(failed ? "Failed" : "Ready");
        await Expect(page.Locator("#summary")).ToHaveTextAsync("1:36:00 · 9.5 GB · public");
        await Expect(Fact(page.Locator("[data-part=facts]"), "Length")).ToHaveTextAsync("1:36:00");
        await Expect(page.Locator("[data-part=facts]")).ToBeVisibleAsync();
        // Chromium hides noscript as long as it could run scripts, which a test's switch does not change.
        (await page.ContentAsync()).ShouldContain("need JavaScript, which is switched off here");
        if (failed)
        {
            await Expect(page.Locator("[data-part=failure]")).ToContainTextAsync("The file ends too early.");
            await Expect(page.Locator("[data-part=failure]")).ToBeVisibleAsync();
        }

        await browsed.TakePictureAsync($"media-no-script-{(failed ? "failed" : "ready")}");
        browsed.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_media_that_is_not_there_says_so()
    {
        await using var opened = await OpenAsync();
        opened.Status.ShouldBe(404);
        await Expect(opened.Page.Locator("h2")).ToHaveTextAsync("There is no such media");
        await opened.TakePictureAsync("media-unknown");
    }

    private Task<WatchedPage> OpenAsync() => WatchedPage.OpenAsync(chromium, host.Url($"/media/{mediaId}"));

    private void Show(string state, MediaState record, JsonArray tasks, Action<JsonObject>? change = null) =>
        api.Show(host, SampleMedia.Json(mediaId, state, tasks, change), record);

    private static ILocator Fact(ILocator list, string term) =>
        list.Locator($"dt:text-is('{term}') + dd");
}
