using Hexcast.Dashboard.Tests.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.EndToEnd;

/// <summary>Makes docs/images/library.webp and watch.webp; docs/operations/dashboard.md has the command.</summary>
public sealed class ReadmePictures(SharedPlatform shared, Chromium chromium)
{
    private const double Seconds = 20;
    private const int SizeLimitBytes = 200_000;
    private static readonly TimeSpan JobLimit = TimeSpan.FromMinutes(1);

    // What ffmpeg can draw by itself, so that nobody's video is needed.
    private static readonly (string Title, string Drawing, string Tags)[] Videos =
    [
        ("Cells that live and die", "life=mold=10:ratio=0.1:death_color=#0a6a5b:life_color=#f4b763", "science"),
        ("Into the Mandelbrot set", "mandelbrot=start_scale=1.2:end_scale=0.01", "mathematics, lecture"),
        ("Evening sky, time lapse", "gradients=c0=#1b2a49:c1=#d96c4a:c2=#f4d9a0:n=3:seed=4:speed=0.01", "nature"),
        ("Sierpinski's carpet", "sierpinski=type=carpet:seed=7", "mathematics"),
        ("Northern lights", "gradients=c0=#04101e:c1=#0f7a63:c2=#8be5d2:n=3:seed=9:speed=0.01", "nature"),
        ("Test pattern for the control room", "testsrc2=r=25", "studio"),
    ];

    [Fact(Explicit = true)]
    public async Task Pictures_for_the_README()
    {
        var ids = new List<string>();
        foreach (var (title, drawing, tags) in Videos.Reverse())
        {
            var clip = shared.File($"{ids.Count}.mp4");
            await Clips.MakeAsync(
                clip, "-f", "lavfi", "-i", $"{drawing}:s=640x360",
                "-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000",
                "-t", $"{Seconds}", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac");
            ids.Add(await shared.Api.UploadAsync(clip, metadata: [("title", title), ("tags", tags)]));
        }

        foreach (var id in ids)
        {
            await shared.Api.WaitForAsync(id, "ready");
        }

        await using var browsed = await BrowsedPage.OpenAsync(
            chromium, new Uri(shared.Url("/sign-in")), width: 1200, height: 760);
        await browsed.Page.GetByLabel("Access token").FillAsync(shared.Platform.AdminToken);
        await browsed.Page.Keyboard.PressAsync("Enter");
        await Expect(browsed.Page.Locator(".media img").Nth(5)).ToHaveJSPropertyAsync("complete", true);
        await KeepAsync(browsed, "library");

        await browsed.SetSchemeAsync(ColorScheme.Dark);
        await browsed.Page.GotoAsync(shared.Url($"/watch/{ids[^2]}"));
        await Wait.ForAsync(
            () => browsed.Page.EvaluateAsync<bool>("Boolean(globalThis.hexcast?.stats)"), JobLimit, () => "no player");
        var video = browsed.Page.Locator("video");
        await video.EvaluateAsync("v => v.play()");
        await video.EvaluateAsync(
            """
            v => new Promise((done) => {
              v.currentTime = 12;
              v.addEventListener('seeked', () => { v.pause(); done(); });
            })
            """);
        await browsed.Page.Mouse.MoveAsync(600, 300);
        await KeepAsync(browsed, "watch");
    }

    private async Task KeepAsync(BrowsedPage browsed, string name)
    {
        var picture = shared.File($"{name}.png");
        await browsed.Page.ScreenshotAsync(new() { Path = picture });
        var kept = Path.Combine(Chromium.Screenshots, "..", "..", "docs", "images", $"{name}.webp");
        await Clips.RunAsync(
            "ffmpeg", ["-nostdin", "-v", "error", "-y", "-i", picture, "-c:v", "libwebp", "-quality", "88", kept]);
        new FileInfo(kept).Length.ShouldBeLessThan(SizeLimitBytes);
    }
}
