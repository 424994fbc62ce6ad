using System.Net;
using Hexcast.Playback.Tests.Support;

namespace Hexcast.Playback.Tests;

public sealed class FirstPlayTests : IAsyncLifetime
{
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() => host = await PlaybackHost.StartAsync(manualClock: true);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task The_catalogue_hears_of_a_version_once_however_often_it_is_played()
    {
        var sample = await SampleVersion.PutAsync(host);
        await PlayAsync(sample, 20);
        await PlaybackHost.WaitForAsync(() => !host.Catalog.Plays.IsEmpty);
        var other = await OtherAsync();
        await PlayAsync(other, 1);
        await PlaybackHost.WaitForAsync(() => host.Catalog.Plays.Count > 1);

        host.Catalog.Plays.ShouldBeUnique();
        host.Catalog.Plays.Count.ShouldBe(2);
    }

    [Fact]
    public async Task It_hears_nothing_of_a_version_that_it_says_was_played()
    {
        var played = await SampleVersion.PutAsync(host);
        played.Index.Played = true;
        await PlayAsync(played, 3);
        var other = await OtherAsync();
        await PlayAsync(other, 1);
        await PlaybackHost.WaitForAsync(() => !host.Catalog.Plays.IsEmpty);

        host.Catalog.Plays.ShouldBe([other.Index.Version]);
    }

    [Fact]
    public async Task While_the_catalogue_does_not_take_it_playing_goes_on_and_asks_only_now_and_then()
    {
        host.Catalog.RefusesPlays = true;
        var sample = await SampleVersion.PutAsync(host);
        await PlayAsync(sample, 1);
        await PlaybackHost.WaitForAsync(() => host.Catalog.Plays.Count == 1);
        await PlayAsync(sample, 50);
        host.Catalog.Plays.Count.ShouldBeLessThanOrEqualTo(2);

        host.Catalog.RefusesPlays = false;
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        var before = host.Catalog.Plays.Count;
        await PlayAsync(sample, 5);
        await PlaybackHost.WaitForAsync(() => host.Catalog.Plays.Count > before);
    }

    private async Task<SampleVersion> OtherAsync()
    {
        var other = await SampleVersion.PutAsync(host);
        other.Index.Version = SampleVersion.Version[..^1] + "w";
        return other;
    }

    private async Task PlayAsync(SampleVersion sample, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var answer = await host.GetAsync(sample.Root + "master.m3u8");
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }
}
