using System.Text.Json.Nodes;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>What every page holds to, of the media page; and that server and script draw the same.</summary>
public sealed class MediaPagePromisesTests(Chromium chromium) : IAsyncLifetime
{
    private readonly MediaApi api = new();
    private readonly string mediaId = PlaybackHost.NewMediaId();
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() =>
        host = await PlaybackHost.StartAsync(manualClock: false, new DashboardModule(), api);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Theory]
    [InlineData("running")]
    [InlineData("ready")]
    [InlineData("failed")]
    [InlineData("long-name")]
    public async Task The_media_page_is_sound_by_day_by_night_and_on_a_phone(string state)
    {
        Show(state);
        var name = $"media-{state}";
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url($"/media/{mediaId}"));
        var page = browsed.Page;
        await SlowlyAsync(page);
        for (var load = 0; load < 4; load++)
        {
            await page.ReloadAsync();
            await DrawnAsync(page);
            await browsed.ShouldNotShiftAsync($"{name}, load {load}");
        }

        await browsed.ShouldBeLightAsync(name);
        await browsed.ShouldBeAccessibleAsync($"{name}, light");
        await browsed.ShouldFitAsync(name);
        await browsed.TakePictureAsync($"{name}-light");
        await browsed.SetSchemeAsync(ColorScheme.Dark);
        await browsed.ShouldBeAccessibleAsync($"{name}, dark");
        await browsed.TakePictureAsync($"{name}-dark");

        await page.SetViewportSizeAsync(320, 640);
        await browsed.ShouldFitAsync($"{name}, 320 px");
        await browsed.TakePictureAsync($"{name}-320");
        await browsed.SetSchemeAsync(ColorScheme.Light);
        await page.SetViewportSizeAsync(390, 844);
        await browsed.ShouldFitAsync($"{name}, 390 px");
        await browsed.ShouldHaveTouchTargetsAsync(name);
        await browsed.ShouldBeAccessibleAsync($"{name}, phone");
        await browsed.TakePictureAsync($"{name}-phone");
        await page.ReloadAsync();
        await DrawnAsync(page);
        await browsed.ShouldNotShiftAsync($"{name}, phone");
        browsed.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task The_graph_tells_each_tasks_state_node_and_time()
    {
        Show("running");
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url($"/media/{mediaId}"));
        var page = browsed.Page;
        await DrawnAsync(page);
        (await page.Locator(".cell").EvaluateAllAsync<string[]>(
            "cells => cells.map((cell) => `${cell.dataset.state} ${cell.getAttribute('aria-label')}`)")).ShouldBe([
            "committed Part 1: done, 4.0 s · worker-0", "committed Part 2: done, 4.0 s · worker-1",
            "committed Part 3: done, 4.0 s · worker-0", "running Part 4: running, 40 % · 2.1× · worker-1",
            "ready Part 5: waiting for a worker", "ready Part 6: waiting for a worker",
        ]);
        (await page.Locator(".node").EvaluateAllAsync<string[]>(
            "nodes => nodes.map((node) => `${node.dataset.state} ${node.textContent}`)")).ShouldBe([
            "committed Probedone, 1.0 s · worker-0", "ready Soundwaiting for a worker",
            "committed Posterdone, 600 ms · worker-2", "pending Publishwaiting for others",
        ]);

        await page.Locator(".cell").Nth(2).ClickAsync();
        var task = page.Locator("[data-part=task]");
        await Expect(task.Locator("h3")).ToHaveTextAsync("Picture, Part 3");
        await Expect(task.Locator("dt:text-is('State') + dd")).ToHaveTextAsync("done");
        await Expect(task.Locator("dt:text-is('Node') + dd")).ToHaveTextAsync("worker-0");
        await Expect(task.Locator("dt:text-is('Took') + dd")).ToHaveTextAsync("4.0 s");
    }

    [Theory]
    [InlineData("running")]
    [InlineData("ready")]
    [InlineData("failed")]
    public async Task What_the_server_draws_is_what_the_script_draws(string state)
    {
        Show(state);
        await using var still = await BrowsedPage.OpenAsync(
            chromium, host.Url($"/media/{mediaId}"), script: false);
        await using var live = await BrowsedPage.OpenAsync(chromium, host.Url($"/media/{mediaId}"));
        await DrawnAsync(live.Page);
        foreach (var part in (string[])[".graph-columns", "[data-part=work-words]", "[data-part=renditions]"])
        {
            (await TextAsync(still.Page, part)).ShouldBe(await TextAsync(live.Page, part), part);
        }

        const string Cells = "cells => cells.map((cell) => `${cell.dataset.task} ${cell.dataset.state} ${cell.title}`)";
        (await still.Page.Locator(".cell").EvaluateAllAsync<string[]>(Cells)).ShouldBe(
            await live.Page.Locator(".cell").EvaluateAllAsync<string[]>(Cells));
        if (state == "ready")
        {
            // In figures, so that not both are wrong.
            await Expect(still.Page.Locator("[data-part=renditions] tbody tr").First.Locator("th, td"))
                .ToHaveTextAsync(["720ph264-720", "1280 × 720, 29.97 fps", "avc1.64001f",
                    "7.0 Mbit/speak 9.0 Mbit/s", "10.5 MB3 segments"]);
            await Expect(still.Page.Locator("[data-part=renditions] tbody tr").Nth(1).Locator("td").First)
                .ToHaveTextAsync("2 channels, 44.1 kHz");
        }

        if (state == "failed")
        {
            await Expect(still.Page.Locator(".log")).ToContainTextAsync("Conversion failed!");
            await Expect(still.Page.Locator("[data-part=task] h3").First).ToHaveTextAsync("Picture, Part 9");
        }
    }

    [Fact]
    public async Task A_job_of_very_many_parts_leaves_a_page_of_bounded_size()
    {
        api.Show(
            host, SampleMedia.Json(mediaId, "processing", SampleMedia.Tasks(done: 9, running: 1, chunks: 5000)),
            MediaState.Processing);
        var html = await host.Http.GetStringAsync($"/media/{mediaId}", TestContext.Current.CancellationToken);
        html.ShouldContain("9 of 5000");
        html.Length.ShouldBeLessThan(250_000);
    }

    private void Show(string state)
    {
        switch (state)
        {
            case "running":
                Put("processing", MediaState.Processing, SampleMedia.Tasks(done: 3, running: 1, chunks: 6));
                break;
            case "failed":
                var (tasks, failure) = SampleMedia.Failed();
                Put("failed", MediaState.Failed, tasks, media => media["error"] = failure);
                break;
            default:
                Put("ready", MediaState.Ready, SampleMedia.Ended(chunks: 60), media =>
                {
                    media["renditions"] = SampleMedia.Measured();
                    if (state == "long-name")
                    {
                        media["title"] = string.Join('_', Enumerable.Repeat("take_of_the_whole_day_20261122", 8));
                        media["filename"] = $"{media["title"]}.mov";
                        media["tags"] = new JsonArray(
                            [.. Enumerable.Range(1, 24).Select(i => (JsonNode)$"a rather long tag, number {i}")]);
                    }
                }, SampleMedia.Index(mediaId));
                break;
        }
    }

    private void Put(
        string state, MediaState record, JsonArray tasks, Action<JsonObject>? change = null,
        VersionIndex? index = null) =>
        api.Show(host, SampleMedia.Json(mediaId, state, tasks, change), record, index);

    // The script's first drawing is on the screen, and the observer has been told of what moved.
    private static async Task DrawnAsync(IPage page)
    {
        await Expect(page.Locator("#media")).ToHaveAttributeAsync("aria-busy", "false");
        await page.EvaluateAsync("""
            document.fonts.ready.then(() => new Promise((done) =>
              requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))))
            """);
    }

    private static async Task SlowlyAsync(IPage page)
    {
        var devtools = await page.Context.NewCDPSessionAsync(page);
        await devtools.SendAsync("Emulation.setCPUThrottlingRate", new() { ["rate"] = 4 });
    }

    // What is there for eyes: "done, " is only for those who listen.
    private static Task<string> TextAsync(IPage page, string part) => page.Locator(part).EvaluateAsync<string>("""
        (element) => {
          const copy = element.cloneNode(true);
          for (const unseen of copy.querySelectorAll('.visually-hidden, [hidden]')) unseen.remove();
          return copy.textContent.replace(/\s+/g, '');
        }
        """);
}
