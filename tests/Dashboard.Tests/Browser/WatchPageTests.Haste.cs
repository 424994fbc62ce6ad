using System.Text.RegularExpressions;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;

namespace Hexcast.Dashboard.Tests.Browser;

/// <summary>Whoever chooses and seeks faster than the network answers.</summary>
public sealed partial class WatchPageTests
{
    [Fact]
    public async Task Qualities_chosen_and_places_sought_in_any_order_at_any_pace_end_in_a_picture()
    {
        await PutReadyAsync();
        await OpenAsync();
        await watched.PlayAsync();
        await SlowDownAsync();
        var stuck = await Page.EvaluateAsync<string>("async () => {" + Chance + """
              for (let round = 0; round < 40; round++) {
                const done = [];
                for (let step = 0; step < 4; step++) {
                  const quality = pick([120, 180, 'auto']);
                  engine.selectQuality(quality);
                  await pause(pick([0, 1, 5, 20, 60]));
                  const place = pick([null, null, 0, 1, 5, 9, 13.9, video.duration]);
                  if (place !== null) video.currentTime = place;
                  await pause(pick([0, 1, 5, 20, 60]));
                  done.push(`${quality} ${place ?? ''}`);
                }
                let wait = 0;
                while (video.seeking || (engine.bufferedAhead < 0.05 && video.currentTime < 13.8)) {
                  await pause(20);
                  if (++wait === 6000) return `round ${round}: ${done}`;
                }
              }
              return '';
            }
            """);
        stuck.ShouldBeEmpty();
    }

    [Fact]
    public async Task Subtitles_chosen_and_places_sought_in_any_order_at_any_pace_end_in_what_is_said_there()
    {
        await EncodedVersion.AddExtrasAsync(host, await EncodedVersion.PutAsync(host, mediaId));
        Show(MediaState.Ready);
        await OpenAsync();
        await watched.UntilAsync("hexcast.stats");
        await SlowDownAsync();
        var stuck = await Page.EvaluateAsync<string>("async () => {" + Chance + """
              for (let round = 0; round < 30; round++) {
                const done = [];
                for (let step = 0; step < 3; step++) {
                  const language = pick(['en', 'de', null]);
                  const place = pick([null, 0, 1, 5, 11, 13.9]);
                  engine.selectLanguage(language);
                  await pause(pick([0, 1, 5, 20, 60]));
                  if (place !== null) video.currentTime = place;
                  await pause(pick([0, 1, 5, 20, 60]));
                  done.push(`${language} ${place ?? ''}`);
                }
                engine.selectLanguage('en');
                await pause(pick([0, 5, 60]));
                video.currentTime = 3;
                let wait = 0;
                while (!document.querySelector('.shaka-text-container')?.textContent.includes('Good morning')) {
                  await pause(20);
                  if (++wait === 6000) {
                    const { shaka } = engine;
                    return `round ${round}: ${done}; at ${video.currentTime}, ${video.seeking}, ${video.readyState}, `
                      + JSON.stringify([shaka.getBufferedInfo(), shaka.getTextTracks(), engine.wantedLanguage]);
                  }
                }
              }
              return '';
            }
            """);
        stuck.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_end_of_the_sound_that_arrives_while_a_quality_is_left_does_not_end_the_picture()
    {
        await PutReadyAsync();
        await OpenAsync();
        var ending = new TaskCompletionSource();
        var released = new TaskCompletionSource();
        await Page.RouteAsync(LastSound(), async route =>
        {
            ending.TrySetResult();
            await released.Task;
            await route.ContinueAsync();
        });
        await Page.ReloadAsync();
        await watched.PlayAsync();
        await ending.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await watched.UntilAsync("hexcast.player.engine.shaka.getBufferedInfo().video[0]?.end > 13.5");
        await Page.EvaluateAsync("""
            () => {
              const { remove } = SourceBuffer.prototype;
              SourceBuffer.prototype.remove = function (...range) {
                SourceBuffer.prototype.remove = remove;
                window.goOn = () => remove.apply(this, range);
              };
            }
            """);
        await watched.ChooseAsync("Quality", "120p");
        await watched.UntilAsync("window.goOn");
        released.SetResult();
        await watched.UntilAsync("hexcast.player.engine.shaka.getBufferedInfo().audio[0].end > 13.5");
        // What the player makes of it, it makes in its next turn.
        await Page.EvaluateAsync("() => new Promise((done) => setTimeout(done, 300)).then(window.goOn)");
        await watched.UntilAsync("hexcast.stats.height === 120");
        await watched.UntilAsync("document.querySelector('video').ended");
    }

    // Choices and pauses of a seed.
    private const string Chance = """
        const { engine } = hexcast.player;
        const { video } = engine;
        const pause = (ms) => new Promise((done) => setTimeout(done, ms));
        let seed = 20261122;
        const pick = (choices) => {
          seed = (seed * 1103515245 + 12345) % 2147483648;
          return choices[Math.floor((seed / 2147483648) * choices.length)];
        };
        """;

    [GeneratedRegex(@"/aac-[^/]*/.*3\.m4s", RegexOptions.None, 1000)]
    private static partial Regex LastSound();

    /// <summary>Playlists that take their time: most choices fall into the wait for the one before.</summary>
    private async Task SlowDownAsync()
    {
        var network = await Page.Context.NewCDPSessionAsync(Page);
        await network.SendAsync("Emulation.setCPUThrottlingRate", new() { ["rate"] = 4 });
        // Not the one of the test that happens to be current where requests are told of.
        var cancel = TestContext.Current.CancellationToken;
        await Page.RouteAsync("**/index.m3u8*", async route =>
        {
            await Task.Delay(40, cancel);
            await route.ContinueAsync();
        });
    }
}
