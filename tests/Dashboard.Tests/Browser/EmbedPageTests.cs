using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>What stands in the address of an embedded player.</summary>
public sealed class EmbedPageTests(Chromium chromium) : IAsyncLifetime
{
    private readonly string mediaId = PlaybackHost.NewMediaId();
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync()
    {
        host = await PlaybackHost.StartAsync(manualClock: true, new DashboardModule());
        await EncodedVersion.AddExtrasAsync(host, await EncodedVersion.PutAsync(host, mediaId));
        host.Catalog.Set(new MediaRecord
        {
            MediaId = mediaId, State = MediaState.Ready, Title = "Harbour at dawn", Filename = "harbour.mp4",
            Policy = "public", Version = EncodedVersion.Version, DurationSeconds = EncodedVersion.Seconds,
        });
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_part_of_a_video_loops_bare_with_subtitles()
    {
        await using var watched = await OpenAsync("?start=5&end=7&loop=1&autoplay=1&muted=1&controls=0&lang=de");
        await watched.UntilAsync("hexcast.stats?.currentTime > 6.2");
        await Expect(watched.Page.Locator(".shaka-text-container")).ToContainTextAsync("Guten Tag");
        await Expect(watched.Page.Locator(".player-bar")).ToBeHiddenAsync();
        await watched.TakePictureAsync("embed-bare", full: false);
        await watched.UntilAsync("hexcast.stats.currentTime < 6 && hexcast.stats.currentTime >= 5");
        await watched.ShouldAdvanceAsync();
        await watched.ShouldBeAccessibleAsync("bare");
        watched.ShouldHaveNoProblems();
    }

    [Fact]
    public async Task A_whole_video_loops()
    {
        await using var watched = await OpenAsync("?t=12.5&loop=1&autoplay=1&muted=1");
        await watched.UntilAsync("hexcast.stats?.currentTime > 13.5");
        await watched.UntilAsync("hexcast.stats.currentTime < 13.4 && hexcast.stats.currentTime >= 12.5");
        await watched.ShouldAdvanceAsync();
    }

    [Fact]
    public async Task A_page_that_stands_still_where_its_video_is_to_end_stops_it_late_and_not_never()
    {
        await using var watched = await OpenAsync("?start=5&end=6&muted=1");
        await watched.UntilAsync("window.hexcast?.player");
        // Its script does nothing for longer than the video takes from there to the end that is asked for.
        await watched.Page.EvaluateAsync("""
            () => {
              const video = document.querySelector('video');
              video.addEventListener('timeupdate', function late() {
                if (video.currentTime < 5.2) return;
                video.removeEventListener('timeupdate', late);
                const until = performance.now() + 4000;
                while (performance.now() < until);
                window.hasStoodStill = true;
              });
              hexcast.player.play();
            }
            """);
        await watched.UntilAsync("window.hasStoodStill && document.querySelector('video').paused");
        (await watched.Page.EvaluateAsync<double>("hexcast.stats.currentTime")).ShouldBeInRange(6, 13);
    }

    [Fact]
    public async Task A_video_stops_at_its_end_and_plays_on_for_whoever_wants_the_rest()
    {
        await using var watched = await OpenAsync("?start=5&end=6&autoplay=1&muted=1&lang=%3Cb%3E");
        await watched.UntilAsync(
            "hexcast.stats?.currentTime >= 6 && document.querySelector('video').paused");
        (await watched.Page.EvaluateAsync<double>("hexcast.stats.currentTime")).ShouldBeLessThan(13);
        await watched.PlayAsync();
        await watched.UntilAsync("hexcast.stats.currentTime > 13.5");
        watched.ShouldHaveNoProblems();
    }

    private Task<WatchedPage> OpenAsync(string query) =>
        WatchedPage.OpenAsync(chromium, host.Url($"/embed/{mediaId}{query}"), width: 640, height: 360);
}
