using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Hexcast.Dashboard.Tests.Browser.Chromium))]

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>Debian's Chromium, started once for all tests that need it.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private readonly SemaphoreSlim starting = new(1);
    private IPlaywright? playwright;
    private IBrowser? browser;

    public static string Checkout { get; } = Root();

    public static string Screenshots { get; } =
        Directory.CreateDirectory(Path.Combine(Checkout, "artifacts", "screenshots")).FullName;

    public async Task<IBrowser> GetAsync()
    {
        await starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            playwright ??= await Playwright.CreateAsync();
            return browser ??= await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = "/usr/bin/chromium",
                Args =
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
                ],
            });
        }
        finally
        {
            starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
        starting.Dispose();
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Hexcast.slnx")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
