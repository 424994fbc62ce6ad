using System.Text.Json;
using Microsoft.Playwright;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>A browser tab, and what every page of it must hold to.</summary>
internal sealed class BrowsedPage : IAsyncDisposable
{
    private const float LimitMs = 60_000;

    /// <summary>Web Vitals calls 0.1 good; these pages keep their places.</summary>
    private const double LayoutShiftLimit = 0.01;

    /// <summary>Before the player is needed.</summary>
    private const int ScriptBudgetBytes = 150_000;

    private readonly List<string> problems = [];

    private BrowsedPage(IPage page)
    {
        Page = page;
        page.Console += (_, message) => Note(message.Type is "error" or "warning" ? message.Text : null);
        page.PageError += (_, error) => Note(error);
    }

    public IPage Page { get; }

    public static async Task<BrowsedPage> OpenAsync(
        Chromium chromium, Uri url, bool dark = false, int width = 1280, int height = 860, string? cookie = null,
        bool script = true)
    {
        var browser = await chromium.GetAsync();
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            // Colours are judged where they have arrived, not on their way.
            ReducedMotion = ReducedMotion.Reduce,
            JavaScriptEnabled = script,
            TimezoneId = "Europe/Berlin",
            Locale = "en-GB",
        });
        BrowserSecrets.Watch(context);
        context.SetDefaultTimeout(LimitMs);
        Assertions.SetDefaultExpectTimeout(LimitMs);
        if (cookie is not null)
        {
            await context.AddCookiesAsync([new()
            {
                Name = "hexcast_session", Value = cookie, Url = url.GetLeftPart(UriPartial.Authority),
            }]);
        }

        if (script)
        {
            await context.AddInitScriptAsync("""
                window.shifts = [];
                const where = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
                new PerformanceObserver((list) => {
                  for (const entry of list.getEntries()) {
                    if (entry.hadRecentInput) continue;
                    shifts.push({
                      value: entry.value,
                      nodes: entry.sources.map(({ node }) => node),
                      words: entry.sources.map(({ node, previousRect, currentRect }) =>
                        `${node?.className || node?.nodeName}: ${where(previousRect)} → ${where(currentRect)}`),
                    });
                  }
                }).observe({ type: 'layout-shift', buffered: true });
                """);
        }

        var browsed = new BrowsedPage(await context.NewPageAsync());
        await browsed.GoAsync(url);
        return browsed;
    }

    public ValueTask DisposeAsync() => new(Page.Context.CloseAsync());

    public Task GoAsync(Uri url) =>
        Page.GotoAsync(url.ToString(), new() { WaitUntil = WaitUntilState.Load });

    /// <summary>Day or night, when the page has painted itself in it.</summary>
    public async Task SetSchemeAsync(ColorScheme scheme)
    {
        await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await Page.EvaluateAsync(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))))");
    }

    /// <summary>artifacts/screenshots/dashboard-NAME.png.</summary>
    public Task TakePictureAsync(string name, bool full = true) => Page.ScreenshotAsync(new()
    {
        Path = Path.Combine(Chromium.Screenshots, $"dashboard-{name}.png"), FullPage = full,
    });

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
        var found = await Page.EvaluateAsync<JsonElement>(
            "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations"
            + ".filter((v) => v.impact === 'serious' || v.impact === 'critical')"
            + ".map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} ${n.failureSummary}`).join()}`))");
        found.EnumerateArray().Select(v => v.GetString()).ShouldBeEmpty(where);
    }

    /// <summary>What the browser has really loaded of scripts; of the player's library only where it plays.</summary>
    public async Task ShouldBeLightAsync(string where, bool player = false)
    {
        if (player)
        {
            // A fetch is listed once it has ended, and this one is the longest: the page is there to look at before it.
            await Page.EvaluateAsync("""
                new Promise((done) => new PerformanceObserver((list) =>
                  list.getEntries().some((e) => e.name.endsWith('/lib/shaka-player.js')) && done(0))
                  .observe({ type: 'resource', buffered: true }))
                """).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        }

        var scripts = await Page.EvaluateAsync<JsonElement>("""
            performance.getEntriesByType('resource').filter((e) => new URL(e.name).pathname.endsWith('.js'))
              .map((e) => [e.name.split('/').slice(5).join('/'), e.decodedBodySize])
            """);
        var sizes = scripts.EnumerateArray().ToDictionary(s => s[0].GetString()!, s => s[1].GetInt32());
        sizes.ShouldNotBeEmpty(where);
        sizes.Values.ShouldAllBe(size => size > 0);
        sizes.Remove("lib/shaka-player.js").ShouldBe(player, where);
        sizes.Values.Sum().ShouldBeLessThan(ScriptBudgetBytes, $"{where}: {scripts}");
    }

    public async Task ShouldFitAsync(string where) =>
        (await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
        .ShouldBeLessThanOrEqualTo(0, $"{where} scrolls sideways: {await WidestAsync()}");

    /// <param name="selector">Only what moved of this; null is everything.</param>
    public async Task ShouldNotShiftAsync(string where, string? selector = null, double limit = LayoutShiftLimit)
    {
        var shifts = await Page.EvaluateAsync<JsonElement>(
            """
            (selector) => shifts.filter(({ nodes }) => !selector || nodes.some((node) => node?.matches?.(selector)))
              .map(({ value, words }) => [value, ...words])
            """,
            selector);
        shifts.EnumerateArray().Sum(shift => shift[0].GetDouble()).ShouldBeLessThan(limit, $"{where}: {shifts}");
    }

    /// <summary>What a finger hits is 44 px high and wide, a link within text, or a cell among hundreds.</summary>
    public async Task ShouldHaveTouchTargetsAsync(string where)
    {
        var small = await Page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('button, .button, .nav a, select, input:not([type=hidden]), summary')]
              .filter((e) => e.checkVisibility() && !e.classList.contains('visually-hidden') && e.type !== 'checkbox')
              .map((e) => [e, e.getBoundingClientRect()])
              .filter(([e, box]) => box.height < 43.5 && !e.closest('.segmented, label, .cells'))
              .map(([e, box]) => `${e.outerHTML.slice(0, 80)} ${box.width}×${box.height}`)
            """);
        small.ShouldBeEmpty(where);
    }

    /// <summary>Neither an error nor a warning stands in the browser's console; a breach of the policy would.</summary>
    public void ShouldHaveNoProblems()
    {
        lock (problems)
        {
            problems.ShouldBeEmpty();
        }
    }

    /// <summary>Of problems that a test has caused on purpose.</summary>
    public void ForgetProblems()
    {
        lock (problems)
        {
            problems.Clear();
        }
    }

    private Task<string> WidestAsync() => Page.EvaluateAsync<string>("""
        [...document.querySelectorAll('body *')]
          .map((e) => [e.getBoundingClientRect().right, e.outerHTML.slice(0, 100)])
          .sort((a, b) => b[0] - a[0]).slice(0, 3).join('\n')
        """);

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
