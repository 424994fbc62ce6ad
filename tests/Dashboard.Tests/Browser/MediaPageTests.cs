using System.Globalization;
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
    private const int Chunks = 240;
    private const string Title =
        "Recording of the whole conference, first day, from the camera at the back of the hall";
    private static readonly DateTimeOffset Start = TimeProvider.System.GetUtcNow().AddMinutes(-4);

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
            "processing", MediaState.Processing, Tasks(done: 100, running: 2),
            media => media["renditions"] = Renditions());
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

        api.Progress(Tasks(done: 180, running: 2));
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
        var tasks = Tasks(done: 8, running: 0, chunks: 12);
        var failed = tasks.Single(t => (string)t!["task_id"]! == "chunk-0008")!;
        (failed["state"], failed["attempts"]) = ("failed", 3);
        failed["started_at"] = At(20);
        failed["ended_at"] = At(24);
        failed["failure"] = new JsonObject
        {
            ["code"] = "tool_failed", ["message"] = "ffmpeg ended with 1: <b>Invalid data</b>",
            ["log_tail"] = "[h264 @ 0x1] error while decoding MB 41 22\nConversion failed!",
        };
        Show("failed", MediaState.Failed, tasks, media => media["error"] = failed["failure"]!.DeepClone());
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
        Show("ready", MediaState.Ready, Tasks(done: 4, running: 0, chunks: 4), media => media["subtitles"] =
            new JsonArray(new JsonObject { ["id"] = "sub-de", ["language"] = "de", ["label"] = "Deutsch" }));
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
        Show("processing", MediaState.Processing, Tasks(done: 5, running: 1, chunks: 6));
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
            "processing", MediaState.Processing, Tasks(done: 1, running: 1, chunks: 2),
            media => media["renditions"] = Renditions());
        await using var opened = await OpenAsync();
        var rows = opened.Page.Locator("[data-part=renditions] tbody tr");
        await Expect(rows.Nth(0).Locator("th, td")).ToHaveTextAsync([
            "2160phevc-2160-main10-high-tier", "3840 × 2160, 29.97 fps", "hvc1.2.4.H153.B0.00.00.00.00.00",
            "24.0 Mbit/speak 36.5 Mbit/s", "17.3 GB1440 segments"]);
        await Expect(rows.Nth(1).Locator("th, td")).ToHaveTextAsync([
            "Soundaac-128", "2 channels, 48 kHz", "mp4a.40.2", "128 kbit/speak 131 kbit/s", "92.2 MB1440 segments"]);
        await Expect(opened.Page.Locator("[data-total]")).ToHaveTextAsync("17.4 GB together");
    }

    [Fact]
    public async Task What_is_known_stands_there_while_the_api_does_not_answer_and_the_rest_comes_with_it()
    {
        Show("processing", MediaState.Processing, Tasks(done: 1, running: 1, chunks: 2));
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
        Show("processing", MediaState.Processing, Tasks(done: 1, running: 1, chunks: 2));
        await using var opened = await OpenAsync();
        var page = opened.Page;
        await Expect(page.Locator(".cell[data-state=committed]")).ToHaveCountAsync(1);
        api.Events.Refuse(503);
        await Expect(page.Locator("#away")).Not.ToBeEmptyAsync();
        api.Put(Json("ready", Tasks(done: 2, running: 0, chunks: 2)));
        api.Events.Accept();
        await Expect(page.Locator("#state")).ToHaveTextAsync("Ready");
        await Expect(page.Locator(".cell[data-state=committed]")).ToHaveCountAsync(2);
        api.Progress(new JsonArray(Job("audio", "encode_audio", "committed", 2, 3, ["probe"])));
        await Expect(page.Locator("[data-kind=encode_audio] [data-state=committed]")).ToHaveCountAsync(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_script_what_is_known_is_there_and_what_is_not_is_named(bool failed)
    {
        Show(
            failed ? "failed" : "ready", failed ? MediaState.Failed : MediaState.Ready,
            Tasks(done: 2, running: 0, chunks: 2));
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

    private static ILocator Fact(ILocator list, string term) =>
        list.Locator($"dt:text-is('{term}') + dd");

    private void Show(string state, MediaState record, JsonArray tasks, Action<JsonObject>? change = null)
    {
        host.Catalog.Set(new MediaRecord
        {
            MediaId = mediaId, State = record, Title = Title, Policy = "public", Filename = "A001_C003_1122.mov",
            SizeBytes = 9_483_300_000, DurationSeconds = 5760, Preset = "ladder_h264_aac",
            CreatedAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(Start),
            Error = record == MediaState.Failed
                ? new MediaError { Code = "source_truncated", Message = "The file ends too early." } : null,
        });
        var media = Json(state, tasks);
        change?.Invoke(media);
        api.Set(media);
    }

    private JsonObject Json(string state, JsonArray tasks) => new()
    {
        ["media_id"] = mediaId, ["state"] = state, ["title"] = Title, ["filename"] = "A001_C003_1122.mov",
        ["tags"] = new JsonArray("conference", "day one"), ["policy"] = "public", ["preset"] = "ladder_h264_aac",
        ["size_bytes"] = 9_483_300_000, ["sha256"] = new string('7', 64), ["row_version"] = 3,
        ["created_at"] = At(-2), ["playable_at"] = At(4), ["ready_at"] = null, ["version"] = null,
        ["error"] = null, ["renditions"] = new JsonArray(), ["poster"] = false,
        ["source"] = new JsonObject
        {
            ["container"] = "mov,mp4", ["video_codec"] = "h264", ["audio_codec"] = "aac", ["width"] = 3840,
            ["height"] = 2160, ["frame_rate"] = 25.0, ["duration_seconds"] = 5760.0, ["frames"] = 144_000,
        },
        ["job"] = new JsonObject { ["job_id"] = "job", ["state"] = "running", ["tasks"] = tasks },
    };

    private static JsonArray Renditions() =>
    [
        new JsonObject
        {
            ["id"] = "hevc-2160-main10-high-tier", ["kind"] = "video", ["codec"] = "hvc1.2.4.H153.B0.00.00.00.00.00",
            ["width"] = 3840, ["height"] = 2160, ["frame_rate"] = 29.97, ["average_bitrate"] = 24_000_000,
            ["peak_bitrate"] = 36_500_000, ["size_bytes"] = 17_280_000_000, ["segments"] = 1440,
        },
        new JsonObject
        {
            ["id"] = "aac-128", ["kind"] = "audio", ["codec"] = "mp4a.40.2", ["channels"] = 2,
            ["sample_rate_hz"] = 48_000, ["average_bitrate"] = 128_000, ["peak_bitrate"] = 131_000,
            ["size_bytes"] = 92_160_000, ["segments"] = 1440,
        },
    ];

    // Two workers, four seconds a part.
    private static JsonArray Tasks(int done, int running, int chunks = Chunks)
    {
        var tasks = new JsonArray(Job("probe", "probe", "committed", 0, 1, []));
        for (var i = 0; i < chunks; i++)
        {
            var state = i < done ? "committed" : i < done + running ? "running" : "ready";
            tasks.Add(Job($"chunk-{i:d4}", "encode_chunk", state, 2 + (4 * (i / 2)), 4, ["probe"], $"worker-{i % 2}"));
        }

        tasks.Add(Job("audio", "encode_audio", "ready", 0, 0, ["probe"]));
        tasks.Add(Job("poster", "poster", "committed", 1, 0.6, ["probe"], "worker-2"));
        tasks.Add(Job("publish", "publish", "pending", 0, 0, ["audio", "poster", "probe", "chunk-0000"]));
        return tasks;
    }

    private static JsonObject Job(
        string id, string kind, string state, double from, double seconds, string[] needs, string node = "worker-0") =>
        new()
        {
            ["task_id"] = id, ["kind"] = kind, ["state"] = state, ["attempt"] = 1,
            ["attempts"] = state == "ready" ? 0 : 1,
            ["node_id"] = state is "ready" or "pending" ? "" : node,
            ["fraction"] = state switch { "committed" => 1, "running" => 0.4, _ => 0 },
            ["speed"] = state == "running" ? 2.1 : 0,
            ["needs"] = new JsonArray([.. needs.Select(n => (JsonNode)n)]),
            ["started_at"] = state is "ready" or "pending" ? null : At(from),
            ["ended_at"] = state == "committed" ? At(from + seconds) : null,
            ["failure"] = null,
        };

    private static string At(double seconds) =>
        Start.AddSeconds(seconds).ToString("yyyy-MM-ddTHH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
