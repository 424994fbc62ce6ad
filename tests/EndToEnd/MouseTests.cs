using System.Text.Json.Nodes;
using Hexcast.Dashboard.Tests.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.EndToEnd;

/// <summary>What the product is for, by mouse: a file is dropped, a link is sent, somebody else watches.</summary>
public sealed class MouseTests(SharedPlatform shared, Chromium chromium)
{
    private const float JobLimitMs = 180_000;

    [Fact]
    public async Task A_dropped_file_plays_for_somebody_without_an_account_who_was_sent_its_link()
    {
        var clip = shared.File("dropped.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 6, size: "320x180");
        await using var owner = await BrowsedPage.OpenAsync(chromium, new Uri(shared.Url("/upload")));
        var page = owner.Page;
        await page.GetByLabel("Access token").FillAsync(shared.Platform.AdminToken);
        await Button(page, "Sign in").ClickAsync();
        await Expect(page).ToHaveURLAsync(shared.Url("/upload"));

        // The script is there too, which takes what is dropped.
        await page.WaitForLoadStateAsync(LoadState.Load);
        await DropAsync(page, clip);
        await page.Locator(".upload").GetByLabel("Who may watch").SelectOptionAsync("signed");
        await Button(page, "Upload 1 file").ClickAsync();
        await Expect(page.Locator(".upload [data-badge][data-state=ready]"))
            .ToHaveCountAsync(1, new() { Timeout = JobLimitMs });

        await page.GetByRole(AriaRole.Link, new() { Name = "Open" }).ClickAsync();
        await Button(page, "Make links").ClickAsync();
        await Expect(page.GetByText("These work until")).ToBeVisibleAsync();
        var link = await page.Locator("#link-watch").InputValueAsync();
        link.ShouldStartWith(shared.Url("/watch/"));
        owner.ShouldHaveNoProblems();

        await ShouldPlayForAStrangerAsync(new Uri(link));
        await ShouldBeAuditedAsync(new Uri(link).AbsolutePath.Split('/')[^1]);
        await ShouldHaveNotedSecretsAsync(page.Context, link);
    }

    private async Task ShouldPlayForAStrangerAsync(Uri link)
    {
        await using var stranger = await WatchedPage.OpenAsync(chromium, link);
        (await stranger.Page.Context.CookiesAsync()).ShouldBeEmpty();
        await stranger.PlayAsync();
        stranger.ShouldHaveNoProblems();

        // It is the link that lets them in.
        await using var without = await WatchedPage.OpenAsync(chromium, new Uri(link.GetLeftPart(UriPartial.Path)));
        without.Status.ShouldBe(401);
    }

    private async Task ShouldBeAuditedAsync(string id)
    {
        var audit = JsonNode.Parse(await shared.Http.GetStringAsync("/v1/audit?limit=500"))!;
        audit["entries"]!.AsArray().Where(entry => (string?)entry!["target"] == id)
            .Select(entry => $"{entry!["action"]} {entry["outcome"]}")
            .ShouldBe(["playback.token ok", "upload.complete ok", "upload.create ok"], "watching is not audited");
    }

    // The search for leaks is worth something only where it knows what the browser held.
    private static async Task ShouldHaveNotedSecretsAsync(IBrowserContext context, string link)
    {
        var session = (await context.CookiesAsync()).Single(cookie => cookie.Name == "hexcast_session").Value;
        await Wait.ForAsync(
            () => Task.FromResult(BrowserSecrets.Noted.Contains(session)),
            TimeSpan.FromSeconds(30), () => "the session's cookie was not noted");
        BrowserSecrets.Noted.ShouldContain(link[(link.IndexOf("token=", StringComparison.Ordinal) + 6)..]);
    }

    // The browser's own drag, as from a file manager.
    private static async Task DropAsync(IPage page, string file)
    {
        var box = (await page.Locator("main").BoundingBoxAsync())!;
        var mouse = await page.Context.NewCDPSessionAsync(page);
        foreach (var type in new[] { "dragEnter", "dragOver", "drop" })
        {
            await mouse.SendAsync("Input.dispatchDragEvent", new Dictionary<string, object>
            {
                ["type"] = type,
                ["x"] = box.X + (box.Width / 2),
                ["y"] = box.Y + (box.Height / 2),
                ["data"] = new { items = Array.Empty<object>(), files = new[] { file }, dragOperationsMask = 1 },
            });
        }

        await Expect(page.Locator(".upload")).ToHaveCountAsync(1);
    }

    private static ILocator Button(IPage page, string name) =>
        page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
}
