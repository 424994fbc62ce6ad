using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Hexcast.Dashboard.Tests.Support;
using Hexcast.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>The upload page in a real browser, against the real role that takes files.</summary>
public sealed partial class UploadPageTests(Chromium chromium) : IAsyncLifetime
{
    private const int SlowBytesPerSecond = 200_000;
    private const int Size = 3_000_000;

    private DashboardHost host = null!;
    private BrowsedPage browsed = null!;
    private ICDPSession? network;

    private IPage Page => browsed.Page;

    public async ValueTask InitializeAsync()
    {
        host = await DashboardHost.StartAsync(("Upload:MaxSizeBytes", "4000000"));
        browsed = await BrowsedPage.OpenAsync(chromium, host.Url("/upload"));
    }

    public async ValueTask DisposeAsync()
    {
        await browsed.DisposeAsync();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Two_dropped_files_go_up_as_they_are_described_and_are_followed_until_they_are_ready()
    {
        await DropAsync(("harbour.mp4", Size), ("tram.mov", 500_000));
        await Expect(Rows).ToHaveCountAsync(2);
        await Row("harbour").GetByLabel("Title").FillAsync("Harbour at dawn");
        await Row("harbour").GetByLabel("Tags").FillAsync("sea, morning");
        await Row("tram").GetByLabel("Who may watch").SelectOptionAsync("signed");
        await browsed.TakePictureAsync("upload-chosen-light");
        await browsed.ShouldBeAccessibleAsync("chosen files");
        await SlowDownAsync(true);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Upload 2 files" }).ClickAsync();
        await Expect(Row("Harbour").Locator("[data-figures]")).ToContainTextAsync("/s ·");
        await browsed.TakePictureAsync("upload-under-way-light");
        await browsed.SetSchemeAsync(ColorScheme.Dark);
        await browsed.ShouldBeAccessibleAsync("uploads under way, dark");
        await browsed.TakePictureAsync("upload-under-way-dark");
        await SlowDownAsync(false);
        await Expect(Row("Harbour").Locator("[data-badge]")).ToContainTextAsync("Uploaded");
        await Expect(Row("tram").Locator("[data-badge]")).ToContainTextAsync("Uploaded");

        var harbour = host.Catalog.Completed.Single(c => c.Filename == "harbour.mp4");
        (harbour.Title, harbour.Policy, harbour.Source.Length).ShouldBe(("Harbour at dawn", "public", Size));
        harbour.Tags.ShouldBe(["sea", "morning"]);
        host.Catalog.Completed.Single(c => c.Filename == "tram.mov").Policy.ShouldBe("signed");

        host.Api.Tell("progress", new JsonObject { ["media_id"] = harbour.MediaId, ["fraction"] = 0.4 });
        await Expect(Row("Harbour").Locator("[data-figures]")).ToHaveTextAsync("40 %");
        host.Api.Tell("media", new JsonObject { ["media_id"] = harbour.MediaId, ["state"] = "ready" });
        await Expect(Row("Harbour").Locator("[data-badge]")).ToHaveTextAsync("Ready");
        (await Row("Harbour").GetByRole(AriaRole.Link, new() { Name = "Open" }).GetAttributeAsync("href"))
            .ShouldBe($"/media/{harbour.MediaId}");
        await Expect(Page.Locator("#announcements")).ToContainTextAsync("harbour.mp4: Ready");
        browsed.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_paused_upload_outlives_a_reload_and_goes_on_with_the_same_file()
    {
        await SlowDownAsync(true);
        await DropAsync(("long.mp4", Size));
        await Page.GetByLabel("Title").FillAsync("The long one");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Upload 1 file" }).ClickAsync();
        await WaitForPercentAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Pause long.mp4" }).ClickAsync();
        await Expect(Row("long").Locator("[data-badge]")).ToHaveTextAsync("Paused");
        await SlowDownAsync(false);

        await Page.ReloadAsync();
        await Expect(Row("The long one").Locator("[data-badge]")).ToHaveTextAsync("Cut off");
        await Expect(Row("long").Locator("[data-figures]"))
            .ToContainTextAsync(SomeOnServer());
        await browsed.TakePictureAsync("upload-cut-off-light");
        await browsed.ShouldBeAccessibleAsync("a cut off upload");
        await Row("long").Locator("[data-pick]").SetInputFilesAsync(
            new FilePayload { Name = "other.mp4", MimeType = "video/mp4", Buffer = new byte[10] });
        await Expect(Row("long")).ToContainTextAsync("That is another file");
        await DropAsync(("long.mp4", Size));
        await Expect(Row("long").Locator("[data-badge]")).ToContainTextAsync("Uploaded");
        var done = host.Catalog.Completed.ShouldHaveSingleItem();
        (done.Title, done.Source.Length).ShouldBe(("The long one", Size));
        (await Page.EvaluateAsync<string>("localStorage.getItem('hexcast.uploads')")).ShouldBe("[]");
        browsed.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_lost_connection_is_waited_for_and_the_upload_goes_on_by_itself()
    {
        await using var wire = Wire.To(host.Url("/"));
        await browsed.GoAsync(new Uri(wire.Url, "/upload"));
        await SlowDownAsync(true);
        await DropAsync(("trip.mp4", Size));
        await Page.GetByRole(AriaRole.Button, new() { Name = "Upload 1 file" }).ClickAsync();
        await WaitForPercentAsync();
        wire.Cut();
        await Expect(Row("trip").Locator("[data-badge]")).ToHaveTextAsync("Trying again");
        await browsed.TakePictureAsync("upload-stalled-light");
        await browsed.ShouldBeAccessibleAsync("a stalled upload");
        await SlowDownAsync(false);
        wire.Mend(host.Url("/"));
        await Expect(Row("trip").Locator("[data-badge]")).ToContainTextAsync("Uploaded");
        host.Catalog.Completed.ShouldHaveSingleItem().Source.Length.ShouldBe(Size);
    }

    [Fact]
    public async Task What_the_server_does_not_take_is_said_in_words_and_can_be_removed()
    {
        await DropAsync(("huge.mp4", 5_000_000));
        await Page.GetByRole(AriaRole.Button, new() { Name = "Upload 1 file" }).ClickAsync();
        await Expect(Row("huge").Locator("[data-problem]"))
            .ToHaveTextAsync("The file is larger than this server takes.");
        await browsed.TakePictureAsync("upload-refused-light");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Remove huge.mp4" }).ClickAsync();
        await Expect(Rows).ToHaveCountAsync(0);
        (await Page.EvaluateAsync<string>("document.activeElement.id")).ShouldBe("main");
    }

    [Theory]
    [InlineData("deleted")]
    [InlineData("edited")]
    public async Task A_file_that_cannot_be_read_any_more_has_failed_and_gives_its_place_to_the_next(string change)
    {
        using var folder = new TempFolder();
        var paths = Enumerable.Range(1, 4).Select(i => Path.Combine(folder.Path, $"take-{i}.mp4")).ToArray();
        foreach (var path in paths)
        {
            await File.WriteAllBytesAsync(path, new byte[10_000]);
        }

        await Page.Locator("#files").SetInputFilesAsync(paths);
        await Expect(Rows).ToHaveCountAsync(4);
        foreach (var path in paths.Take(3))
        {
            if (change == "deleted")
            {
                File.Delete(path);
            }
            else
            {
                await File.AppendAllTextAsync(path, "more");
            }
        }

        await Page.GetByRole(AriaRole.Button, new() { Name = "Upload 4 files" }).ClickAsync();
        await Expect(Row("take-1").Locator("[data-badge]")).ToHaveTextAsync("Failed");
        await Expect(Row("take-1").Locator("[data-problem]")).ToContainTextAsync("choose the file as it is now");
        await Expect(Row("take-4").Locator("[data-badge]")).ToContainTextAsync("Uploaded");
        host.Catalog.Completed.ShouldHaveSingleItem().Filename.ShouldBe("take-4.mp4");
        await browsed.TakePictureAsync($"upload-unreadable-{change}");
        await browsed.ShouldBeAccessibleAsync("files that cannot be read");
    }

    [Fact]
    public async Task What_is_left_out_is_named()
    {
        await DropAsync(("one.mp4", 10), ("two.mp4", 10));
        await Expect(Page.Locator("#skipped")).ToBeHiddenAsync();
        await DropAsync(("two.mp4", 10), ("three.mp4", 10));
        await Expect(Page.Locator("#skipped")).ToHaveTextAsync("Is in the list already: two.mp4.");
        await Expect(Rows).ToHaveCountAsync(3);
        await DropAsync([.. Enumerable.Range(0, 207).Select(i => ($"part-{i:d3}.mp4", 1))]);
        await Expect(Rows).ToHaveCountAsync(203);
        await Expect(Page.Locator("#skipped")).ToHaveTextAsync(
            "More than 200 at a time are not taken; add again: part-200.mp4, part-201.mp4, part-202.mp4, part-203.mp4, "
            + "part-204.mp4 and 2 more.");
        browsed.ShouldHaveNoProblems();
    }

    // Tens of them: the browser counts what it has handed on, and the first bytes of it may not have arrived yet.
    [GeneratedRegex("^[1-9][0-9] %", RegexOptions.None, 1000)]
    private static partial Regex SomePercent();

    [GeneratedRegex("^[1-9][0-9]* % is on the server", RegexOptions.None, 1000)]
    private static partial Regex SomeOnServer();

    private ILocator Rows => Page.Locator(".upload");

    private ILocator Row(string words) => Rows.Filter(new() { HasText = words });

    private Task WaitForPercentAsync() =>
        Expect(Rows.Locator("[data-figures]")).ToContainTextAsync(SomePercent());

    /// <summary>As dragged in from a file manager; a file of the same name and size is the same one again.</summary>
    private Task DropAsync(params (string Name, int Size)[] files) => Page.EvaluateAsync(
        """
        (files) => {
          const dataTransfer = new DataTransfer();
          for (const { name, size } of files) {
            dataTransfer.items.add(new File([new Uint8Array(size)], name, { type: 'video/mp4', lastModified: 1e12 }));
          }
          for (const type of ['dragenter', 'dragover', 'drop']) {
            document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
          }
        }
        """,
        files.Select(file => new { name = file.Name, size = file.Size }).ToArray());

    private Task SlowDownAsync(bool slow) => SetNetworkAsync(slow ? SlowBytesPerSecond : -1);

    private async Task SetNetworkAsync(int uploadBytesPerSecond)
    {
        network ??= await Page.Context.NewCDPSessionAsync(Page);
        await network.SendAsync("Network.enable");
        await network.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
        {
            ["offline"] = false,
            ["latency"] = 0,
            ["downloadThroughput"] = -1,
            ["uploadThroughput"] = uploadBytesPerSecond,
        });
    }
}
