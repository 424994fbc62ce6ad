using System.Text.Json;
using Microsoft.Playwright;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>A page with the player in a browser tab of its own, and what a viewer does with it.</summary>
internal sealed class WatchedPage : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly List<string> problems = [];

    private WatchedPage(IPage page)
    {
        Page = page;
        page.Console += (_, message) => Note(
            message.Type is "error" or "warning" ? $"{message.Text} {message.Location}" : null);
        page.PageError += (_, error) => Note(error);
    }

    public IPage Page { get; }

    public int Status { get; private set; }

    /// <param name="header">Sent with every request: how tests say who they are.</param>
    public static async Task<WatchedPage> OpenAsync(
        Chromium chromium,
        Uri url,
        bool dark = false,
        int width = 1280,
        int height = 860,
        bool touch = false,
        (string Name, string Value)? header = null)
    {
        var browser = await chromium.GetAsync();
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            HasTouch = touch,
            IsMobile = touch,
            TimezoneId = "Europe/Berlin",
            Locale = "en-GB",
            Permissions = ["clipboard-read", "clipboard-write"],
            ExtraHTTPHeaders = header is var (name, value) ? [new(name, value)] : null,
        });
        BrowserSecrets.Watch(context);
        context.SetDefaultTimeout((float)Limit.TotalMilliseconds);
        Assertions.SetDefaultExpectTimeout((float)Limit.TotalMilliseconds);
        await context.AddInitScriptAsync("""
            window.shifted = 0;
            new PerformanceObserver((list) => {
              for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted += entry.value;
            }).observe({ type: 'layout-shift', buffered: true });
            """);
        var watched = new WatchedPage(await context.NewPageAsync());
        var answer = await watched.Page.GotoAsync(url.ToString());
        watched.Status = answer!.Status;
        return watched;
    }

    public ValueTask DisposeAsync() => new(Page.Context.CloseAsync());

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    public async Task PlayAsync()
    {
        await UntilAsync("hexcast.stats");
        await Page.EvaluateAsync("document.querySelector('video').play()");
        await ShouldAdvanceAsync();
    }

    /// <summary>Time runs, in a loop too, and the decoder yields frames: it plays, whatever the page says.</summary>
    public async Task ShouldAdvanceAsync()
    {
        var before = await Page.EvaluateAsync<JsonElement>(
            "({ t: hexcast.stats.currentTime, f: hexcast.stats.frames })");
        var (time, frames) = (before.GetProperty("t").GetDouble(), before.GetProperty("f").GetInt32());
        await UntilAsync(
            $"Math.abs(hexcast.stats?.currentTime - {time}) > 0.5 && hexcast.stats.frames > {frames} + 5");
    }

    public async Task SeekAsync(double seconds)
    {
        await Page.EvaluateAsync("t => { document.querySelector('video').currentTime = t; }", seconds);
        await UntilAsync($"hexcast.stats?.currentTime >= {seconds} && !document.querySelector('video').seeking");
    }

    /// <summary>The bar goes nowhere from now on, as if a pointer moved all the time.</summary>
    public Task KeepAwakeAsync() => Page.EvaluateAsync(
        "() => { const { controls } = hexcast.player; controls.sleep = () => {}; controls.wake(); }");

    /// <summary>By the settings menu, as a person does.</summary>
    public async Task ChooseAsync(string setting, string choice)
    {
        await KeepAwakeAsync();
        await Button("Settings").ClickAsync();
        await Page.GetByRole(AriaRole.Menuitem, new() { Name = setting }).ClickAsync();
        await Page.GetByRole(AriaRole.Menuitemradio)
            .Filter(new() { Has = Page.GetByText(choice, new() { Exact = true }) }).ClickAsync();
        await Assertions.Expect(Page.Locator("[data-part=menu]")).ToBeHiddenAsync();
    }

    /// <summary>Waits until the script's condition holds.</summary>
    // Playwright's own wait evaluates strings in the page, which its content security policy forbids.
    public async Task UntilAsync(string condition, TimeSpan? limit = null)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        while (!await Page.EvaluateAsync<bool>($"Boolean({condition})"))
        {
            if (clock.GetElapsedTime(start) > (limit ?? Limit))
            {
                var state = await Page.EvaluateAsync<string>("""
                    JSON.stringify({ stats: hexcast.stats, error: hexcast.player.engine.error,
                      buffered: hexcast.player.engine.shaka?.getBufferedInfo(),
                      seeking: document.querySelector('video').seeking,
                      trouble: hexcast.player.trouble, state: hexcast.player.state?.state })
                    """);
                lock (problems)
                {
                    throw new TimeoutException($"Never: {condition}\n{state}\n{string.Join('\n', problems)}");
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>artifacts/screenshots/NAME.png, the whole page unless the window alone is asked for.</summary>
    public Task TakePictureAsync(string name, bool full = true) => Page.ScreenshotAsync(
        new() { Path = Path.Combine(Chromium.Screenshots, $"{name}.png"), FullPage = full });

    /// <summary>Neither an error nor a warning stands in the browser's console; a breach of the policy would.</summary>
    public void ShouldHaveNoProblems()
    {
        lock (problems)
        {
            problems.ShouldBeEmpty();
        }
    }

    /// <summary>axe-core finds nothing serious or critical.</summary>
    public async Task ShouldBeAccessibleAsync(string where)
    {
        // Colours change over a moment; where they end is what counts.
        await Page.EvaluateAsync("""
            new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() =>
              Promise.allSettled(document.getAnimations()
                .filter((a) => a instanceof CSSTransition).map((a) => a.finished))).then(() => 0)
            """);
        // Evaluated by the debugger's protocol, which the page's policy does not concern.
        await Page.EvaluateAsync(Axe.Script + ";0");
        var found = await Page.EvaluateAsync<string[]>("""
            axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations
              .filter((v) => v.impact === 'serious' || v.impact === 'critical')
              .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')}`))
            """);
        found.ShouldBeEmpty(where);
    }

    public async Task ShouldFitAsync(string where) =>
        (await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
            .ShouldBeLessThanOrEqualTo(0, $"{where} scrolls sideways");

    public async Task ShouldNotHaveShiftedAsync() =>
        (await Page.EvaluateAsync<double>("shifted")).ShouldBeLessThan(0.02);

    private void Note(string? problem)
    {
        if (problem is not null)
        {
            lock (problems)
            {
                problems.Add(problem);
            }
        }
    }
}
