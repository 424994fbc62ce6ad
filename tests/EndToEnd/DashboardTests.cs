using Hexcast.Dashboard.Tests.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.EndToEnd;

/// <summary>The platform as one sees it who has only a browser: from an empty library to signing out.</summary>
public sealed class DashboardTests(Chromium chromium) : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private PlatformProcess platform = null!;
    private BrowsedPage browsed = null!;

    private IPage Page => browsed.Page;

    public async ValueTask InitializeAsync() =>
        platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));

    public async ValueTask DisposeAsync()
    {
        if (browsed is not null)
        {
            await browsed.DisposeAsync();
        }

        await platform.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task From_an_empty_library_to_signing_out()
    {
        await SignInAsync();
        await UploadAsync();
        await FindAsync();
        await LookAtNodesAsync();
        await UseTokensAsync();
        browsed.ShouldHaveNoProblems();

        await Page.GotoAsync(Url("/"));
        await Page.Locator("[data-menu] > summary").ClickAsync();
        await browsed.TakePictureAsync("menu-light", full: false);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(Page).ToHaveURLAsync(Url("/sign-in"));
        await Page.GotoAsync(Url("/settings/tokens"));
        await Expect(Page).ToHaveURLAsync(Url("/sign-in?next=%2Fsettings%2Ftokens"));
    }

    [Fact]
    public async Task Without_script_one_signs_in_reads_and_signs_out()
    {
        browsed = await BrowsedPage.OpenAsync(chromium, new Uri(Url("/nodes")), script: false);
        await Expect(Page).ToHaveURLAsync(Url("/sign-in?next=%2Fnodes"));
        await Page.GetByLabel("Access token").FillAsync(platform.AdminToken);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Nodes and queues" })).ToBeVisibleAsync();
        // The worker joins once the platform is ready, and without a script a page stays as it is.
        await Wait.ForAsync(
            async () =>
            {
                await Page.ReloadAsync();
                return await Page.Locator(".node").CountAsync() > 0;
            },
            TimeSpan.FromMinutes(1), () => "no node is shown");
        await Expect(Page.Locator(".node")).ToContainTextAsync("Connected since");
        await Page.GotoAsync(Url("/upload"));
        // Chromium hides noscript as long as it could run scripts, which a test's switch does not change.
        (await Page.ContentAsync()).ShouldContain("Uploading from a browser needs JavaScript");
        await Page.Locator("[data-menu] > summary").ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Dark" }).ClickAsync();
        await Expect(Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await Page.Locator("[data-menu] > summary").ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(Page).ToHaveURLAsync(Url("/sign-in"));
    }

    [Fact]
    public async Task By_keyboard_alone_one_signs_in_uploads_and_gives_a_signed_link_away()
    {
        var file = Path.Combine(folder.Path, "harbour.mp4");
        await Clips.MakeStandardAsync(file, seconds: 6, size: "320x180");
        browsed = await BrowsedPage.OpenAsync(chromium, new Uri(Url("/")));
        await GoToAsync(Page.GetByLabel("Access token"));
        await Page.Keyboard.TypeAsync(platform.AdminToken);
        await Page.Keyboard.PressAsync("Enter");
        await PressAsync(Page.GetByRole(AriaRole.Link, new() { Name = "Upload a video" }));
        await Page.WaitForURLAsync(Url("/upload"));

        await GoToAsync(Page.Locator("#files"));
        var chooser = await Page.RunAndWaitForFileChooserAsync(() => Page.Keyboard.PressAsync("Space"));
        await chooser.SetFilesAsync(file);
        await GoToAsync(Page.Locator(".upload [data-field=policy]"));
        await Page.Keyboard.TypeAsync("Only");
        await Expect(Page.Locator(".upload [data-field=policy]")).ToHaveValueAsync("signed");
        await PressAsync(Page.GetByRole(AriaRole.Button, new() { Name = "Upload 1 file" }), "Shift+Tab");
        await Expect(Page.Locator(".upload [data-badge][data-state=ready]")).ToHaveCountAsync(
            1, new() { Timeout = (float)TimeSpan.FromMinutes(3).TotalMilliseconds });
        await PressAsync(Page.Locator(".upload [data-action=open]"));

        // A dialog that closes gives the focus back to where it was.
        foreach (var name in (string[])["Edit", "Delete"])
        {
            var button = Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
            await Expect(button).ToBeEnabledAsync();
            await PressAsync(button);
            await Expect(Page.Locator("dialog[open]")).ToHaveCountAsync(1);
            await Page.Keyboard.PressAsync("Escape");
            await Expect(button).ToBeFocusedAsync();
        }

        var link = Page.GetByLabel("Watch page", new() { Exact = true });
        await Expect(link).ToHaveValueAsync("");
        await PressAsync(Page.GetByRole(AriaRole.Button, new() { Name = "Make links" }));
        await Expect(link).Not.ToHaveValueAsync("");
        browsed.ShouldHaveNoProblems();
        await Page.Context.ClearCookiesAsync();
        (await Page.GotoAsync(await link.InputValueAsync()))!.Status.ShouldBe(200);
    }

    private async Task PressAsync(ILocator target, string by = "Tab")
    {
        await GoToAsync(target, by);
        await Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>As far as the tabulator leads, and not for ever.</summary>
    private async Task GoToAsync(ILocator target, string by = "Tab")
    {
        const int StopLimit = 100;
        await Expect(target).ToBeAttachedAsync();
        for (var stop = 0; stop < StopLimit; stop++)
        {
            if (await target.EvaluateAsync<bool>("e => e === document.activeElement"))
            {
                return;
            }

            await Page.Keyboard.PressAsync(by);
        }

        throw new TimeoutException($"The keyboard does not lead to {target}.");
    }

    private async Task SignInAsync()
    {
        browsed = await BrowsedPage.OpenAsync(chromium, new Uri(Url("/")));
        await Expect(Page).ToHaveURLAsync(Url("/sign-in?next=%2F"));
        await Page.GetByLabel("Access token").FillAsync("hxc_nonsense");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not valid here");
        await Page.GetByLabel("Access token").FillAsync(platform.AdminToken);
        await Page.Keyboard.PressAsync("Enter");
        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Your first video starts here" }))
            .ToBeVisibleAsync();
        await browsed.ShouldBeAccessibleAsync("empty library");
    }

    private async Task UploadAsync()
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = "Upload a video" }).ClickAsync();
        string[] names = ["harbour.mp4", "tram.mp4"];
        foreach (var name in names)
        {
            await Clips.MakeStandardAsync(Path.Combine(folder.Path, name), seconds: 6, size: "320x180");
        }

        await Page.Locator("#files").SetInputFilesAsync(names.Select(name => Path.Combine(folder.Path, name)));
        await Page.GetByLabel("Title").First.FillAsync("Harbour at dawn");
        await Page.GetByLabel("Tags").Nth(1).FillAsync("sea, morning");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Upload 2 files" }).ClickAsync();
        await Expect(Page.Locator(".upload [data-badge][data-state=ready]")).ToHaveCountAsync(
            2, new() { Timeout = (float)TimeSpan.FromMinutes(3).TotalMilliseconds });
        await browsed.TakePictureAsync("end-to-end-upload");
    }

    private async Task FindAsync()
    {
        await Page.GotoAsync(Url("/"));
        await Expect(Page.Locator(".media")).ToHaveCountAsync(2);
        await Expect(Page.Locator(".media img")).ToHaveCountAsync(2);
        foreach (var poster in await Page.Locator(".media img").AllAsync())
        {
            await poster.ScrollIntoViewIfNeededAsync();
            await Expect(poster).ToHaveJSPropertyAsync("complete", true);
            (await poster.EvaluateAsync<int>("e => e.naturalWidth")).ShouldBeGreaterThan(0);
        }

        await browsed.ShouldNotShiftAsync("library");
        await browsed.TakePictureAsync("end-to-end-library");
        await Page.GetByRole(AriaRole.Searchbox).FillAsync("harb dawn");
        await Page.Keyboard.PressAsync("Enter");
        await Expect(Page.Locator(".media")).ToHaveCountAsync(1);
        await Page.GetByRole(AriaRole.Link, new() { Name = "morning", Exact = true }).ClickAsync();
        await Expect(Page).ToHaveURLAsync(Url("/?tag=morning"));
        await Expect(Page.Locator(".media")).ToContainTextAsync("Harbour at dawn");

        // Somebody else uploads meanwhile: the page says so and moves nothing.
        await Page.GotoAsync(Url("/"));
        var stream = Page.WaitForResponseAsync("**/v1/events");
        await Page.ReloadAsync();
        await stream;
        var id = await platform.Api.UploadAsync(Path.Combine(folder.Path, "tram.mp4"));
        await Page.GetByRole(AriaRole.Link, new() { Name = "New videos: show them" }).ClickAsync();
        await Expect(Page.Locator($"#media-{id}")).ToBeVisibleAsync();
        await Expect(Page.Locator($"#media-{id}[data-state=ready]")).ToBeVisibleAsync(
            new() { Timeout = (float)TimeSpan.FromMinutes(3).TotalMilliseconds });
    }

    private async Task LookAtNodesAsync()
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = "Nodes" }).ClickAsync();
        await Expect(Page.Locator("#live")).ToHaveTextAsync("Live");
        await Expect(Page.Locator(".node")).ToContainTextAsync("slots");
        await Expect(Page.Locator(".chart canvas")).ToHaveCountAsync(2);
        await browsed.TakePictureAsync("end-to-end-nodes");
        await browsed.ShouldBeAccessibleAsync("nodes");
        await Page.GetByRole(AriaRole.Link, new() { Name = "Settings" }).ClickAsync();
        await Expect(Page.GetByText("Worker", new() { Exact = true })).ToBeVisibleAsync();
        await browsed.TakePictureAsync("end-to-end-settings");
    }

    private async Task UseTokensAsync()
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = "Tokens" }).ClickAsync();
        await Page.WaitForURLAsync(Url("/settings/tokens"));
        await Page.GetByRole(AriaRole.Link, new() { Name = "Create a token" }).ClickAsync();
        await Page.GetByLabel("Name").FillAsync("Studio <ingest>");
        await Page.GetByLabel("Upload: put videos in").CheckAsync();
        await browsed.ShouldBeAccessibleAsync("the dialog of a new token");
        await browsed.TakePictureAsync("token-new", full: false);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await Expect(Page.Locator("#secret")).ToContainTextAsync("hxc_");
        var secret = await Page.Locator("#secret").InnerTextAsync();
        await browsed.TakePictureAsync("token-secret", full: false);
        using (var request = new HttpRequestMessage(HttpMethod.Get, "/v1/session"))
        {
            request.Headers.Authorization = new("Bearer", secret);
            using var answer = await platform.Http.SendAsync(request);
            (await answer.Content.ReadAsStringAsync()).ShouldContain("Studio");
        }

        await Page.GetByRole(AriaRole.Button, new() { Name = "I have it" }).ClickAsync();
        var row = Page.Locator("tr").Filter(new() { HasText = "Studio <ingest>" });
        await row.GetByRole(AriaRole.Link, new() { Name = "Revoke" }).ClickAsync();
        await Expect(Page.Locator("#revoke-dialog")).ToContainTextAsync("stops working at once");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Revoke", Exact = true }).ClickAsync();
        await Expect(row).ToHaveCountAsync(0);

        await Page.GetByRole(AriaRole.Link, new() { Name = "Audit log" }).ClickAsync();
        await Expect(Page.Locator("tr").Filter(new() { HasText = "token.revoke" }))
            .ToContainTextAsync("Studio <ingest>");
        await browsed.TakePictureAsync("end-to-end-audit");
        await browsed.ShouldBeAccessibleAsync("audit log");
    }

    private string Url(string path) => new Uri(platform.Http.BaseAddress!, path).ToString();
}
