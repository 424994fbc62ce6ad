using System.Text.Json.Nodes;
using Hexcast.Contracts.V1;
using Hexcast.Dashboard.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>The library while one looks at it.</summary>
public sealed class LibraryLiveTests(Chromium chromium) : IAsyncLifetime
{
    private DashboardHost host = null!;
    private BrowsedPage browsed = null!;

    private IPage Page => browsed.Page;

    public async ValueTask InitializeAsync() => host = await DashboardHost.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await browsed.DisposeAsync();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_card_follows_its_media_in_place_and_says_so_to_a_screen_reader()
    {
        var listed = host.Catalog.Put("Street market", MediaState.Processing, m => m.Fraction = 0.1);
        var id = listed.Media.MediaId;
        await OpenAsync();
        var card = Page.Locator($"#media-{id}");
        await Expect(card.Locator("[data-cell-words]")).ToHaveTextAsync("10 %");
        host.Api.Tell("progress", new JsonObject { ["media_id"] = id, ["fraction"] = 0.5, ["stage"] = "encode" });
        await Expect(card.Locator("[data-cell-words]")).ToHaveTextAsync("50 %");
        (await card.Locator("progress").EvaluateAsync<double>("bar => bar.value")).ShouldBe(0.5);

        await card.GetByRole(AriaRole.Link).First.FocusAsync();
        listed.Media.State = MediaState.Ready;
        listed.HasPoster = true;
        host.Api.Tell("media", new JsonObject { ["media_id"] = id });
        await Expect(card).ToHaveAttributeAsync("data-state", "ready");
        await Expect(card.Locator("img")).ToHaveCountAsync(1);
        await Expect(Page.Locator("#announcements")).ToHaveTextAsync("Street market, ready");
        (await Page.EvaluateAsync<string>("document.activeElement.className")).ShouldBe("media-link");
        await browsed.ShouldNotShiftAsync("a card that changes");

        host.Api.Tell("deleted", new JsonObject { ["media_id"] = id });
        await Expect(card).ToContainTextAsync("Deleted");
        browsed.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_new_media_waits_behind_a_button_and_moves_nothing()
    {
        host.Catalog.Put("Old", MediaState.Ready);
        await OpenAsync();
        var media = host.Catalog.Put("New", MediaState.Uploaded).Media.MediaId;
        host.Api.Tell("media", new JsonObject { ["media_id"] = media });
        var button = Page.GetByRole(AriaRole.Link, new() { Name = "New videos: show them" });
        await Expect(button).ToBeVisibleAsync();
        await browsed.ShouldNotShiftAsync("the button for new ones");
        await browsed.TakePictureAsync("library-news-light", full: false);
        await button.ClickAsync();
        await Expect(Page.Locator($"#media-{media}")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_first_media_takes_the_place_of_the_invitation()
    {
        await OpenAsync();
        await Expect(Page.GetByText("Your first video starts here")).ToBeVisibleAsync();
        var media = host.Catalog.Put("First", MediaState.Uploaded).Media.MediaId;
        host.Api.Tell("media", new JsonObject { ["media_id"] = media });
        await Expect(Page.Locator($"#media-{media}")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_theme_is_chosen_by_keyboard_and_stays()
    {
        await OpenAsync();
        await Page.Locator("[data-menu] > summary").FocusAsync();
        await Page.Keyboard.PressAsync("Enter");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Dark" }).FocusAsync();
        await Page.RunAndWaitForResponseAsync(() => Page.Keyboard.PressAsync("Enter"), "**/theme");
        await Expect(Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await Page.Keyboard.PressAsync("Escape");
        (await Page.EvaluateAsync<string>("document.activeElement.localName")).ShouldBe("summary");
        await Page.GotoAsync(host.Url("/upload").ToString());
        await Expect(Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
    }

    private async Task OpenAsync() => browsed = await BrowsedPage.OpenAsync(chromium, host.Url("/"));
}
