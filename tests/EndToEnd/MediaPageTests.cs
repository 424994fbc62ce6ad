using System.Net.Http.Json;
using Hexcast.Dashboard.Tests.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.EndToEnd;

/// <summary>The media page on the real platform: what it shows is true, and what it does happens.</summary>
public sealed class MediaPageTests(SharedPlatform shared, Chromium chromium)
{
    private const float JobLimitMs = 180_000;

    [Fact]
    public async Task The_job_is_seen_at_work_and_done_and_the_media_is_edited_shared_and_deleted()
    {
        var clip = shared.File("media-page.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 40);
        // Before the upload: a browser that starts only after it may come when the job is done.
        await using var opened = await OpenAsync("/upload");
        var page = opened.Page;
        await page.AddInitScriptAsync("""
            new MutationObserver(() => {
              window.ranChunk ||= document.querySelector('[data-task^=chunk][data-state=running]') !== null;
            }).observe(document, { subtree: true, childList: true, attributeFilter: ['data-state'] });
            """);
        var id = await shared.Api.UploadAsync(clip, metadata: ("title", "Harbour at dawn"));
        await page.GotoAsync(shared.Url($"/media/{id}"));
        // Live: each task's own state arrives, without a reload.
        await Expect(page.Locator(".node[data-task=probe][data-state=committed]"))
            .ToBeVisibleAsync(new() { Timeout = JobLimitMs });
        await opened.UntilAsync("window.ranChunk", TimeSpan.FromMilliseconds(JobLimitMs));
        await opened.TakePictureAsync("media-running");
        await Expect(page.Locator(".node[data-task=publish][data-state=committed]"))
            .ToBeVisibleAsync(new() { Timeout = JobLimitMs });
        await Expect(page.Locator("#state")).ToHaveTextAsync("Ready");
        var media = await shared.Api.GetAsync(id);
        await Expect(page.Locator(".renditions tbody tr")).ToHaveCountAsync(media["renditions"]!.AsArray().Count);
        foreach (var task in media["job"]!["tasks"]!.AsArray())
        {
            await Expect(page.Locator($"[data-task='{task!["task_id"]}'][data-state=committed]")).ToHaveCountAsync(1);
        }

        await page.Locator("[data-task=probe]").ClickAsync();
        await Expect(page.Locator("[data-part=task]"))
            .ToContainTextAsync((string)media["job"]!["tasks"]![0]!["node_id"]!);
        await Expect(page.Locator(".timeline .bar").First).ToBeVisibleAsync();
        await opened.TakePictureAsync("media-ready-light");
        await opened.ShouldBeAccessibleAsync("media, light");
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await opened.ShouldBeAccessibleAsync("media, dark");
        await opened.TakePictureAsync("media-ready-dark");

        // The preview is a player like any other.
        await opened.Button("Play").First.ClickAsync();
        await opened.UntilAsync("hexcast.stats?.frames > 5");
        opened.ShouldHaveNoProblems();
        await EditAsync(opened, id);
        await ShareAsync(opened, id);

        await opened.Button("Delete").First.ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Delete this media?" });
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Keep it" })).ToBeFocusedAsync();
        await Expect(dialog.Locator("strong")).ToHaveTextAsync("Mine");
        await opened.TakePictureAsync("media-delete", full: false);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.WaitForURLAsync(shared.Url("/"));
        using var gone = await shared.Http.GetAsync($"/v1/media/{id}");
        gone.StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_source_that_cannot_be_encoded_is_explained_in_the_tools_own_words_and_can_be_tried_again()
    {
        var file = shared.File("broken.mp4");
        await Clips.MakeStandardAsync(file, seconds: 4);
        await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file))[..60_000]);
        var id = await shared.Api.UploadAsync(file);
        var media = await shared.Api.WaitForAsync(id, "failed");
        await using var opened = await OpenAsync($"/media/{id}");
        var page = opened.Page;
        await Expect(page.Locator("#state")).ToHaveTextAsync("Failed");
        var failure = page.Locator("[data-part=failure]");
        await Expect(failure).ToContainTextAsync((string)media["error"]!["message"]!);
        await Expect(failure.Locator(".failure-code")).ToHaveTextAsync((string)media["error"]!["code"]!);
        var log = (await failure.Locator(".log").InnerTextAsync()).Trim();
        log.ShouldContain("moov atom not found");
        ((string)media["error"]!["log_tail"]!).ShouldContain(log.Split('\n')[^1]);
        await opened.TakePictureAsync("media-failed-light");
        await opened.ShouldBeAccessibleAsync("failed");
        await failure.GetByRole(AriaRole.Button, new() { Name = "Copy the log" }).ClickAsync();
        (await page.EvaluateAsync<string>("navigator.clipboard.readText()")).ShouldContain("moov atom not found");

        var before = (string)media["job"]!["tasks"]![0]!["started_at"]!;
        await opened.Button("Try again").Last.ClickAsync();
        // It fails again, as it must; that it was tried is what the page can bring about.
        await Wait.ForAsync(
            async () => (string?)(await shared.Api.GetAsync(id))["job"]?["tasks"]?[0]?["started_at"] != before,
            TimeSpan.FromMinutes(2),
            () => "the job was not run again");
        await Expect(page.Locator("[data-task=probe][data-state=failed]"))
            .ToBeVisibleAsync(new() { Timeout = JobLimitMs });
        await page.SetViewportSizeAsync(320, 700);
        await opened.ShouldFitAsync("320 px");
        await opened.TakePictureAsync("media-failed-phone");
    }

    private async Task EditAsync(WatchedPage opened, string id)
    {
        var page = opened.Page;
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Edit" });
        await opened.Button("Edit").ClickAsync();
        await dialog.GetByLabel("Title").FillAsync("City tour");
        await dialog.GetByLabel("Tags").FillAsync("lecture, city, lecture");
        await opened.TakePictureAsync("media-edit", full: false);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("h1").First).ToHaveTextAsync("City tour");
        await Expect(page.Locator("#tags li")).ToHaveCountAsync(2);
        ((string)(await shared.Api.GetAsync(id))["title"]!).ShouldBe("City tour");

        // Somebody else is faster: nothing is overwritten unseen.
        await opened.Button("Edit").ClickAsync();
        await dialog.GetByLabel("Title").FillAsync("Mine");
        using var theirs = await shared.Http.PatchAsJsonAsync($"/v1/media/{id}", new { title = "Theirs" });
        theirs.EnsureSuccessStatusCode();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(dialog.Locator("[data-conflict]")).ToContainTextAsync("Theirs");
        await opened.TakePictureAsync("media-conflict", full: false);
        ((string)(await shared.Api.GetAsync(id))["title"]!).ShouldBe("Theirs");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("h1").First).ToHaveTextAsync("Mine");
        ((string)(await shared.Api.GetAsync(id))["title"]!).ShouldBe("Mine");
    }

    private async Task ShareAsync(WatchedPage opened, string id)
    {
        var page = opened.Page;
        await opened.Button("Edit").ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Edit" });
        await dialog.GetByLabel("Who may watch").SelectOptionAsync("signed");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByLabel("HLS", new() { Exact = true })).ToHaveValueAsync("");
        await page.GetByLabel("Links work for").SelectOptionAsync("600");
        await opened.Button("Make links").ClickAsync();
        await Expect(page.GetByText("These work until")).ToBeVisibleAsync();
        var hls = await page.GetByLabel("HLS", new() { Exact = true }).InputValueAsync();
        hls.ShouldContain($"/play/{id}/master.m3u8?token=ey");
        using var bare = new HttpClient();
        (await bare.GetStringAsync(hls)).ShouldStartWith("#EXTM3U");
        await opened.Button("Copy: Embed code").ClickAsync();
        (await page.EvaluateAsync<string>("navigator.clipboard.readText()"))
            .ShouldStartWith($"<iframe src=\"{shared.Url($"/embed/{id}?token=ey")}");
        await opened.TakePictureAsync("media-signed", full: false);
    }

    private Task<WatchedPage> OpenAsync(string path) => WatchedPage.OpenAsync(
        chromium, new Uri(shared.Url(path)), header: shared.SignedIn);
}
