using Hexcast.Dashboard.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

public sealed class TokensPageTests(Chromium chromium) : IAsyncLifetime
{
    private DashboardHost host = null!;

    public async ValueTask InitializeAsync() => host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task The_tenant_that_is_meant_by_none_is_every_one_only_for_an_admin()
    {
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url("/settings/tokens"));
        var page = browsed.Page;
        await page.Locator("#create").ClickAsync();
        var tenant = page.Locator("#tenant");
        await Expect(tenant).ToHaveAttributeAsync("placeholder", "default");
        await page.Locator("[value=admin]").CheckAsync();
        await Expect(tenant).ToHaveAttributeAsync("placeholder", "every tenant");
        await page.Locator("[data-close]").First.ClickAsync();
        await page.Locator("#create").ClickAsync();
        await Expect(tenant).ToHaveAttributeAsync("placeholder", "default");
    }
}
