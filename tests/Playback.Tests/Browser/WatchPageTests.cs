using System.Text.Json.Nodes;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Playback.Tests.Browser;

/// <summary>The watch page in a real browser. Each test leaves a picture in artifacts/screenshots.</summary>
public sealed class WatchPageTests(Chromium chromium) : IAsyncLifetime
{
    private readonly PageRole role = new();
    private readonly string mediaId = PlaybackHost.NewMediaId();
    private PlaybackHost host = null!;
    private WatchedPage watched = null!;

    private IPage Page => watched.Page;

    public async ValueTask InitializeAsync() => host = await PlaybackHost.StartAsync(manualClock: true, role);

    public async ValueTask DisposeAsync()
    {
        if (watched is not null)
        {
            await watched.DisposeAsync();
        }

        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_ready_video_really_plays_seeks_and_switches_quality_and_format()
    {
        await EncodedVersion.PutAsync(host, mediaId);
        Show(MediaState.Ready);
        await OpenAsync();
        await watched.PlayAsync();
        await Page.GetByText("Technical details").ClickAsync();
        await Expect(Page.Locator("#stats")).ToContainTextAsync("avc1");
        await watched.TakePictureAsync("ready-light");

        await watched.SeekAsync(9);
        await watched.ShouldAdvanceAsync();

        var quality = Page.GetByLabel("Quality");
        (await quality.Locator("option").AllInnerTextsAsync()).ShouldBe(["Auto", "180p", "120p"]);
        await quality.SelectOptionAsync("120");
        await watched.SeekAsync(1);
        await watched.UntilAsync("hexcast.stats.height === 120");
        await quality.SelectOptionAsync("180");
        await watched.UntilAsync("hexcast.stats.height === 180");
        await watched.ShouldAdvanceAsync();

        await Page.GetByLabel("DASH").CheckAsync();
        await watched.UntilAsync("hexcast.format === 'dash' && hexcast.stats");
        await watched.ShouldAdvanceAsync();
        (await Page.EvaluateAsync<string>("hexcast.player.getAssetUri()")).ShouldContain("manifest.mpd");
        await quality.SelectOptionAsync("auto");
        await watched.SeekAsync(11);
        await watched.ShouldAdvanceAsync();
        await watched.UntilAsync("document.querySelector('video').ended");
        (await Page.EvaluateAsync<double>("document.querySelector('video').duration"))
            .ShouldBe(EncodedVersion.Seconds, tolerance: 0.1);
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_signed_video_plays_with_the_token_that_the_page_asks_for()
    {
        await EncodedVersion.PutAsync(host, mediaId, policy: "signed");
        Show(MediaState.Ready, m => m["policy"] = "signed");
        await OpenAsync(dark: true);
        await watched.PlayAsync();
        (await Page.EvaluateAsync<string>("hexcast.player.getAssetUri()")).ShouldContain("?token=ey");
        await watched.TakePictureAsync("ready-dark");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_token_that_runs_out_while_one_watches_is_replaced()
    {
        await EncodedVersion.PutAsync(host, mediaId, policy: "signed", segments: 1);
        Show(MediaState.Playable, m => m["policy"] = "signed");
        await OpenAsync();
        await watched.PlayAsync();
        var first = await Page.EvaluateAsync<string>("hexcast.player.getAssetUri()");
        await EncodedVersion.PutAsync(host, mediaId, policy: "signed");
        host.Clock.Advance(TimeSpan.FromHours(2));
        await watched.UntilAsync("hexcast.stats?.currentTime > 6");
        (await Page.EvaluateAsync<string>("hexcast.player.getAssetUri()")).ShouldNotBe(first);
        await Expect(Page.Locator("#notice")).ToBeHiddenAsync();
    }

    [Theory]
    [InlineData("hls")]
    [InlineData("dash")]
    public async Task A_growing_video_plays_from_its_start_and_on_to_its_end(string format)
    {
        await host.WaitForFollowerAsync();
        await EncodedVersion.PutAsync(host, mediaId, segments: 1);
        Show(MediaState.Playable);
        role.Progress(Tasks(0.4));
        await OpenAsync();
        if (format == "dash")
        {
            await watched.UntilAsync("hexcast.stats");
            await Page.GetByLabel("DASH").CheckAsync();
            await watched.UntilAsync("hexcast.format === 'dash' && hexcast.stats?.live");
        }

        await watched.PlayAsync();
        (await Page.EvaluateAsync<double>("hexcast.stats.currentTime")).ShouldBeLessThan(4);
        await Expect(Page.Locator("#state")).ToHaveTextAsync("playable, still in the works");
        role.Progress(Tasks(0.4));
        await Expect(Page.Locator("#stages")).ToContainTextAsync("Encoding the picture");
        await watched.TakePictureAsync($"playable-{format}");

        await EncodedVersion.PutAsync(host, mediaId);
        host.Catalog.TellChange(mediaId);
        Show(MediaState.Ready);
        await watched.UntilAsync("hexcast.stats.currentTime > 6");
        await watched.UntilAsync("!hexcast.stats.live");
        await Expect(Page.Locator("#work")).ToBeHiddenAsync();
        await watched.SeekAsync(12);
        await watched.UntilAsync("document.querySelector('video').ended");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_video_in_the_works_shows_how_far_it_is_and_starts_by_itself()
    {
        Show(MediaState.Processing, m => m["source"]!["height"] = 1080);
        await OpenAsync();
        await Expect(Page.Locator("#curtain-title")).ToHaveTextAsync("Getting ready");
        role.Progress(Tasks(0.25));
        await Expect(Page.Locator("#stages")).ToContainTextAsync("25 %");
        await Expect(Page.Locator("#curtain-detail")).ToHaveTextAsync("Encoding the picture");
        await watched.TakePictureAsync("processing-light");
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await watched.TakePictureAsync("processing-dark");

        await EncodedVersion.PutAsync(host, mediaId);
        host.Catalog.TellChange(mediaId);
        Show(MediaState.Ready);
        await Expect(Page.Locator("#curtain")).ToBeHiddenAsync();
        await watched.PlayAsync();
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_failed_video_says_why_in_the_encoders_words_and_can_be_tried_again()
    {
        Show(MediaState.Failed, m => m["error"] = new JsonObject
        {
            ["code"] = "source_truncated",
            ["message"] = "The file ends before its own index. Upload it again: <b>whole</b>.",
            ["log_tail"] = "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55d] moov atom not found\ninput.mp4: Invalid data found",
        });
        await OpenAsync();
        await Expect(Page.Locator("#failure-message")).ToContainTextAsync("Upload it again: <b>whole</b>.");
        await Page.GetByText("Last lines of the log").ClickAsync();
        await Expect(Page.Locator("#failure-lines")).ToContainTextAsync("moov atom not found");
        await watched.TakePictureAsync("failed-light");
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await watched.TakePictureAsync("failed-dark");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await PlaybackHost.WaitForAsync(() => role.Retries == 1);
    }

    [Fact]
    public async Task A_deleted_video_is_gone_while_one_watches()
    {
        await EncodedVersion.PutAsync(host, mediaId);
        Show(MediaState.Ready);
        await OpenAsync();
        await watched.PlayAsync();
        role.Delete();
        await Expect(Page.Locator("#curtain-title")).ToHaveTextAsync("This video is gone");
        await watched.TakePictureAsync("deleted");
    }

    [Fact]
    public async Task An_address_that_leads_nowhere_says_so()
    {
        await OpenAsync(expectStatus: 404);
        await Expect(Page.Locator("h1")).ToHaveTextAsync("There is no such video");
        await watched.TakePictureAsync("unknown-light");
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await watched.TakePictureAsync("unknown-dark");
    }

    [Theory]
    [InlineData("phone-light", ColorScheme.Light)]
    [InlineData("phone-dark", ColorScheme.Dark)]
    public async Task On_a_phone_nothing_is_wider_than_the_screen(string picture, ColorScheme scheme)
    {
        await EncodedVersion.PutAsync(host, mediaId);
        Show(MediaState.Playable, m =>
            m["title"] = "A long title that somebody gave: the_whole_name_of_the_file_from_the_camera_20261122");
        await OpenAsync(dark: scheme == ColorScheme.Dark, width: 375, height: 760);
        await watched.PlayAsync();
        role.Progress(Tasks(0.7));
        await Expect(Page.Locator("#stages")).ToContainTextAsync("70 %");
        await Page.GetByText("Technical details").ClickAsync();
        await Expect(Page.Locator("#stats")).ToContainTextAsync("avc1");
        await watched.TakePictureAsync(picture);
        (await Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(375);
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task The_keyboard_reaches_everything_and_plays()
    {
        await EncodedVersion.PutAsync(host, mediaId);
        Show(MediaState.Ready);
        await OpenAsync();
        await watched.UntilAsync("hexcast.stats");
        await Page.Keyboard.PressAsync("k");
        await watched.UntilAsync("!document.querySelector('video').paused");
        await Page.Keyboard.PressAsync("m");
        await watched.UntilAsync("document.querySelector('video').muted");
        await Page.Keyboard.PressAsync("l");
        await watched.UntilAsync("hexcast.stats.currentTime > 9");
        await Page.Keyboard.PressAsync("k");
        await watched.UntilAsync("document.querySelector('video').paused");
        var reached = new List<string>();
        for (var i = 0; i < 40 && !reached.Contains("summary"); i++)
        {
            await Page.Keyboard.PressAsync("Tab");
            reached.Add(await Page.EvaluateAsync<string>(
                "document.activeElement.id || document.activeElement.name || document.activeElement.localName"));
        }

        reached.ShouldContain("quality");
        reached.ShouldContain("format");
        reached.ShouldContain("summary");
    }

    private async Task OpenAsync(bool dark = false, int width = 1280, int height = 900, int expectStatus = 200)
    {
        watched = await WatchedPage.OpenAsync(chromium, host.Url($"/watch/{mediaId}"), dark, width, height);
        watched.Status.ShouldBe(expectStatus);
    }

    private void Show(MediaState state, Action<JsonObject>? change = null)
    {
        var media = new JsonObject
        {
            ["media_id"] = mediaId,
            ["state"] = state.ToString().ToLowerInvariant(),
            ["title"] = "Harbour at dawn",
            ["filename"] = "harbour.mp4",
            ["policy"] = "public",
            ["size_bytes"] = 48_300_000,
            ["version"] = EncodedVersion.Version,
            ["poster"] = false,
            ["error"] = null,
            ["source"] = new JsonObject
            {
                ["width"] = 1920, ["height"] = 1080, ["frame_rate"] = 25.0,
                ["duration_seconds"] = EncodedVersion.Seconds,
            },
            ["renditions"] = new JsonArray(
                Rendition("h264-180", 320, 180, 512_000, 900_000), Rendition("h264-120", 214, 120, 231_000, 400_000),
                new JsonObject
                {
                    ["id"] = "aac-128", ["kind"] = "audio", ["codec"] = "mp4a.40.2", ["channels"] = 2,
                    ["sample_rate_hz"] = 48000, ["average_bitrate"] = 128_000, ["size_bytes"] = 224_000,
                }),
        };
        change?.Invoke(media);
        host.Catalog.Set(new MediaRecord
        {
            MediaId = mediaId,
            State = state,
            Title = (string)media["title"]!,
            Policy = (string)media["policy"]!,
            Error = media["error"] is { } error
                ? new MediaError { Code = (string)error["code"]!, Message = (string)error["message"]! }
                : null,
        });
        role.Send(media.ToJsonString());
    }

    private static JsonObject Rendition(string id, int width, int height, int bitrate, int size) => new()
    {
        ["id"] = id, ["kind"] = "video", ["codec"] = "avc1.64000d", ["width"] = width, ["height"] = height,
        ["frame_rate"] = 25.0, ["average_bitrate"] = bitrate, ["size_bytes"] = size,
    };

    private static string Tasks(double fraction) => $$"""
        [{"task_id":"probe","kind":"probe","state":"committed","fraction":1,"speed":0},
        {"task_id":"chunk-0000","kind":"encode_chunk","state":"running","fraction":{{fraction}},"speed":3.1},
        {"task_id":"chunk-0001","kind":"encode_chunk","state":"running","fraction":{{fraction}},"speed":2.4},
        {"task_id":"audio","kind":"encode_audio","state":"committed","fraction":1,"speed":0},
        {"task_id":"publish","kind":"publish","state":"pending","fraction":0,"speed":0}]
        """.ReplaceLineEndings("");
}
