using Grpc.Core;
using Hexcast.Dashboard.Tests.Support;
using Microsoft.Playwright;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>
/// Every page, by day, by night and on a phone: axe-core, width, touch targets, layout shift, a clean console, and a
/// picture in artifacts/screenshots.
/// </summary>
public sealed class EveryPageTests(Chromium chromium) : IAsyncLifetime
{
    private DashboardHost host = null!;

    public static TheoryData<string, string, bool> Cases => new()
    {
        { "library", "/", true },
        { "library-empty", "/", false },
        { "library-nothing", "/?q=nowhere&tag=lecture", true },
        { "library-trouble", "/?state=nonsense", true },
        { "library-older", $"/?q=lecture&tag=lecture&cursor={SampleLibrary.MiddleId}", true },
        { "upload", "/upload", true },
        { "nodes", "/nodes", true },
        { "nodes-none", "/nodes", false },
        { "nodes-trouble", "/nodes", true },
        { "settings", "/settings", true },
        { "tokens", "/settings/tokens", true },
        { "audit", "/settings/audit", true },
        { "problem-404", "/libary", true },
        { "problem-503", "/broken/unavailable", true },
        { "sign-in", "/sign-in", true },
        { "sign-in-denied", "/sign-in?denied=1&next=/settings", true },
        { "sign-in-ended", "/sign-in?ended=1&next=/settings", true },
        { "sign-in-failed", "/sign-in?failed=1&next=/upload", true },
    };

    public async ValueTask InitializeAsync() => host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_page_is_sound_by_day_by_night_and_on_a_phone(string name, string path, bool filled)
    {
        if (filled)
        {
            SampleLibrary.Fill(host.Catalog);
            host.Scheduler.Fill();
            host.Api.Fill();
        }

        if (name == "nodes-trouble")
        {
            host.Scheduler.Refusal = StatusCode.Unavailable;
        }

        await using var browsed = await BrowsedPage.OpenAsync(chromium, host.Url(path));
        // What a browser says of an answer's status is no defect of the page.
        if (name.EndsWith("-trouble", StringComparison.Ordinal)
            || name.StartsWith("problem-", StringComparison.Ordinal))
        {
            browsed.ForgetProblems();
        }

        await browsed.ShouldBeLightAsync(name);
        await browsed.ShouldNotShiftAsync(name);
        await browsed.ShouldBeAccessibleAsync($"{name}, light");
        await browsed.ShouldFitAsync(name);
        await browsed.TakePictureAsync($"{name}-light");
        await browsed.SetSchemeAsync(ColorScheme.Dark);
        await browsed.ShouldBeAccessibleAsync($"{name}, dark");
        await browsed.TakePictureAsync($"{name}-dark");

        await browsed.Page.SetViewportSizeAsync(320, 640);
        await browsed.ShouldFitAsync($"{name}, 320 px");
        await browsed.TakePictureAsync($"{name}-320");
        await browsed.SetSchemeAsync(ColorScheme.Light);
        await browsed.Page.SetViewportSizeAsync(390, 844);
        await browsed.ShouldFitAsync($"{name}, 390 px");
        await browsed.ShouldHaveTouchTargetsAsync(name);
        await browsed.ShouldBeAccessibleAsync($"{name}, phone");
        await browsed.TakePictureAsync($"{name}-phone");
        browsed.ShouldHaveNoProblems();
    }
}
