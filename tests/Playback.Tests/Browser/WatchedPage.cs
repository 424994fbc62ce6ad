using System.Text.Json;
using Microsoft.Playwright;

namespace Hexcast.Playback.Tests.Browser;

/// <summary>A watch page in a browser tab of its own, and what a viewer does with it.</summary>
internal sealed class WatchedPage : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly List<string> problems = [];

    private WatchedPage(IPage page)
    {
        Page = page;
        page.Console += (_, message) => Note(message.Type is "error" or "warning" ? message.Text : null);
        page.PageError += (_, error) => Note(error);
    }

    public IPage Page { get; }

    public int Status { get; private set; }

    public static async Task<WatchedPage> OpenAsync(
        Chromium chromium, Uri url, bool dark = false, int width = 1280, int height = 900, string? token = null)
    {
        var browser = await chromium.GetAsync();
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ExtraHTTPHeaders = token is null ? null : [new("Authorization", $"Bearer {token}")],
        });
        context.SetDefaultTimeout((float)Limit.TotalMilliseconds);
        Assertions.SetDefaultExpectTimeout((float)Limit.TotalMilliseconds);
        var watched = new WatchedPage(await context.NewPageAsync());
        var answer = await watched.Page.GotoAsync(url.ToString());
        watched.Status = answer!.Status;
        return watched;
    }

    public ValueTask DisposeAsync() => new(Page.Context.CloseAsync());

    public async Task PlayAsync()
    {
        await UntilAsync("hexcast.stats");
        await Page.EvaluateAsync("document.querySelector('video').play()");
        await ShouldAdvanceAsync();
    }

    /// <summary>Time runs and the decoder yields frames: it plays, whatever the page says.</summary>
    public async Task ShouldAdvanceAsync()
    {
        var before = await Page.EvaluateAsync<JsonElement>(
            "({ t: hexcast.stats.currentTime, f: hexcast.stats.frames })");
        var (time, frames) = (before.GetProperty("t").GetDouble(), before.GetProperty("f").GetInt32());
        await UntilAsync($"hexcast.stats?.currentTime > {time} + 0.5 && hexcast.stats.frames > {frames} + 5");
    }

    public async Task SeekAsync(double seconds)
    {
        await Page.EvaluateAsync("t => { document.querySelector('video').currentTime = t; }", seconds);
        await UntilAsync($"hexcast.stats?.currentTime >= {seconds} && !document.querySelector('video').seeking");
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
                var state = await Page.EvaluateAsync<string>(
                    "JSON.stringify({ stats: hexcast.stats, error: hexcast.error, state: hexcast.media?.state })");
                lock (problems)
                {
                    throw new TimeoutException($"Never: {condition}\n{state}\n{string.Join('\n', problems)}");
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The whole page as artifacts/screenshots/watch-NAME.png.</summary>
    public Task TakePictureAsync(string name) =>
        Page.ScreenshotAsync(new() { Path = Path.Combine(Chromium.Screenshots, $"watch-{name}.png"), FullPage = true });

    /// <summary>Neither an error nor a warning stands in the browser's console.</summary>
    public void ShouldHaveNoProblems()
    {
        lock (problems)
        {
            problems.ShouldBeEmpty();
        }
    }

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
