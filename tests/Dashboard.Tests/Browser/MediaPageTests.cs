using System.Globalization;
using System.Text.Json.Nodes;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>The media page with a job that the test holds: many parts, failures, live changes.</summary>
public sealed class MediaPageTests(Chromium chromium) : IAsyncLifetime
{
    private const int Chunks = 240;
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
    public async Task A_media_that_is_not_there_says_so()
    {
        await using var opened = await OpenAsync();
        opened.Status.ShouldBe(404);
        await Expect(opened.Page.Locator("h2")).ToHaveTextAsync("There is no such media");
        await opened.TakePictureAsync("media-unknown");
    }

    private Task<WatchedPage> OpenAsync() => WatchedPage.OpenAsync(chromium, host.Url($"/media/{mediaId}"));

    private void Show(string state, MediaState record, JsonArray tasks, Action<JsonObject>? change = null)
    {
        const string Title = "Recording of the whole conference, first day, from the camera at the back of the hall";
        host.Catalog.Set(new MediaRecord { MediaId = mediaId, State = record, Title = Title, Policy = "public" });
        var media = new JsonObject
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
        change?.Invoke(media);
        api.Set(media);
    }

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
