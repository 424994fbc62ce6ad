using System.Net;
using Hexcast.Dashboard.Tests.Support;
using Microsoft.Playwright;
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

    [Fact]
    public async Task A_token_is_made_and_revoked_over_the_table()
    {
        host.Api.Fill();
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url("/settings/tokens"));
        var page = browsed.Page;
        await page.Locator("#create").ClickAsync();
        await page.GetByLabel("Name").FillAsync("Camera <2>");
        await browsed.TakePictureAsync("tokens-create", full: false);
        await page.Locator("#create-submit").ClickAsync();
        await Expect(page.Locator("#secret")).ToHaveTextAsync(FakeTokens.Secret);
        await browsed.TakePictureAsync("tokens-secret", full: false);
        await browsed.ShouldBeAccessibleAsync("the secret");
        await page.GetByRole(AriaRole.Button, new() { Name = "I have it" }).ClickAsync();
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Camera <2>" });
        await Expect(row).ToContainTextAsync("default");

        await row.GetByRole(AriaRole.Link, new() { Name = "Revoke Camera <2>" }).ClickAsync();
        await Expect(page.Locator("#revoke-name")).ToHaveTextAsync("Camera <2>");
        await page.Locator("#revoke").ClickAsync();
        await Expect(row).ToHaveCountAsync(0);
        browsed.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_token_is_made_and_revoked_without_script()
    {
        host.Api.Fill();
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url("/settings/tokens"), script: false);
        var page = browsed.Page;
        await Expect(page.GetByText("<b>bold</b>")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Create a token" }).ClickAsync();
        await page.GetByLabel("Name").FillAsync("Camera 2");
        await page.GetByLabel("Read: see").UncheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Expect(page.GetByText("scopes must name at least one.")).ToBeVisibleAsync();
        await Expect(page.GetByLabel("Name")).ToHaveValueAsync("Camera 2");
        await page.GetByLabel("Upload: put").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Expect(page.GetByText(FakeTokens.Secret)).ToBeVisibleAsync();
        await browsed.TakePictureAsync("tokens-secret-no-script");
        await page.GetByRole(AriaRole.Link, new() { Name = "I have it" }).ClickAsync();
        await Expect(page.GetByText(FakeTokens.Secret)).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Link, new() { Name = "Revoke Camera 2" }).ClickAsync();
        await Expect(page.GetByText("stops working at once").First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(page.GetByText("Camera 2")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_audit_log_is_read_without_script()
    {
        host.Api.Fill();
        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url("/settings/audit"), script: false);
        var rows = browsed.Page.Locator("#rows tr");
        await Expect(rows).ToHaveCountAsync(50);
        await Expect(rows.First).ToContainTextAsync("22 Nov 2026, 09:30");
        await browsed.Page.GetByRole(AriaRole.Link, new() { Name = "Older entries" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(10);
        await browsed.Page.GetByRole(AriaRole.Link, new() { Name = "Newest entries" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(50);
    }

    [Fact]
    public async Task A_form_of_another_sites_makes_no_token()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/settings/tokens")
        {
            Content = new FormUrlEncodedContent([new("name", "thief"), new("scope", "admin")]),
        };
        request.Headers.Add(Testing.TestAccess.Header, ";admin;browser");
        request.Headers.Add("Origin", "https://elsewhere.example");
        request.Headers.Add("Accept", "text/html");
        using var answer = await host.Http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await host.PageAsync("/settings/tokens")).ShouldNotContain("thief");
    }
}
