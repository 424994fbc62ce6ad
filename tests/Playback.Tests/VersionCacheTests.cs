using System.Net;
using Hexcast.Contracts;
using Hexcast.Contracts.V1;
using Hexcast.Platform.Errors;
using Hexcast.Playback.Tests.Support;
using Hexcast.Playback.Versions;
using Microsoft.Extensions.DependencyInjection;
using static Hexcast.Playback.Tests.SegmentTests;

namespace Hexcast.Playback.Tests;

public sealed class VersionCacheTests : IAsyncLifetime
{
    private static readonly TimeSpan LongerThanShort = VersionCache.ShortAge + TimeSpan.FromMilliseconds(1);
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() => host = await PlaybackHost.StartAsync(manualClock: true);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_complete_version_is_asked_for_once_until_it_changes()
    {
        await host.WaitForFollowerAsync();
        var sample = await SampleVersion.PutAsync(host);
        await WarmAsync(sample);
        host.Clock.Advance(TimeSpan.FromDays(1));
        var before = host.Catalog.IndexCalls;
        for (var i = 0; i < 20; i++)
        {
            (await StatusAsync(sample.Path("1.m4s"))).ShouldBe(HttpStatusCode.OK);
        }

        host.Catalog.IndexCalls.ShouldBe(before);

        sample.Index.Policy = "signed";
        host.Catalog.TellChange(sample.MediaId);
        await PlaybackHost.WaitForAsync(() => StatusAsync(sample.Path("1.m4s")).Result == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_deleted_media_stops_playing()
    {
        await host.WaitForFollowerAsync();
        var sample = await SampleVersion.PutAsync(host);
        await WarmAsync(sample);
        host.Catalog.Remove(sample.MediaId);
        host.Catalog.TellChange(sample.MediaId, MediaChange.Types.Kind.Deleted);
        await PlaybackHost.WaitForAsync(() => StatusAsync(sample.Path("1.m4s")).Result == HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_growing_version_is_asked_for_at_most_twice_a_second()
    {
        var sample = await SampleVersion.PutAsync(host, complete: false);
        var before = host.Catalog.IndexCalls;
        for (var i = 0; i < 10; i++)
        {
            await StatusAsync(sample.Path("index.m3u8"));
        }

        // The follower may have begun anew in between, which empties the cache once.
        host.Catalog.IndexCalls.ShouldBeInRange(before + 1, before + 2);
        before = host.Catalog.IndexCalls;
        host.Clock.Advance(LongerThanShort);
        await StatusAsync(sample.Path("index.m3u8"));
        host.Catalog.IndexCalls.ShouldBe(before + 1);
    }

    [Fact]
    public async Task A_media_that_is_not_there_is_not_asked_for_by_every_request()
    {
        await host.WaitForFollowerAsync();
        var path = $"/play/{PlaybackHost.NewMediaId()}/master.m3u8";
        await StatusAsync(path);
        var before = host.Catalog.IndexCalls;
        for (var i = 0; i < 10; i++)
        {
            (await StatusAsync(path)).ShouldBe(HttpStatusCode.NotFound);
        }

        host.Catalog.IndexCalls.ShouldBe(before);
    }

    [Theory]
    [InlineData(ErrorCodes.NotFound)]
    [InlineData(ErrorCodes.Unavailable)]
    public async Task Of_a_refusal_nothing_is_kept_but_its_words(string code)
    {
        await host.WaitForFollowerAsync();
        host.Catalog.Failure = new HexcastException(code, "Not here.");
        var cache = host.Get<VersionCache>();
        var media = MediaId.From(Guid.CreateVersion7());
        var refused = await Should.ThrowAsync<HexcastException>(
            async () => await cache.GetAsync(media, TestContext.Current.CancellationToken));
        refused.Code.ShouldBe(code);
        refused.Message.ShouldBe("Not here.");
        refused.InnerException.ShouldBeNull();
    }

    [Fact]
    public async Task While_changes_cannot_be_heard_nothing_is_trusted_for_long()
    {
        await host.WaitForFollowerAsync();
        var sample = await SampleVersion.PutAsync(host);
        await WarmAsync(sample);
        host.Catalog.TellsChanges = false;
        host.Catalog.CutFollowers();
        await PlaybackHost.WaitForAsync(() => host.Catalog.Followers == 0);
        sample.Index.Policy = "signed";
        await PlaybackHost.WaitForAsync(() =>
        {
            host.Clock.Advance(LongerThanShort);
            return StatusAsync(sample.Path("1.m4s")).Result == HttpStatusCode.Unauthorized;
        });
    }

    [Fact]
    public async Task A_failure_of_the_catalogue_is_told_and_not_kept()
    {
        var sample = await SampleVersion.PutAsync(host);
        host.Catalog.Failure = new HexcastException(ErrorCodes.Unavailable, "Not now.");
        using (var answer = await host.GetAsync(sample.Path("1.m4s")))
        {
            await ShouldBeProblemAsync(answer, HttpStatusCode.ServiceUnavailable, "unavailable");
        }

        host.Catalog.Failure = null;
        (await StatusAsync(sample.Path("1.m4s"))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_index_that_points_outside_its_object_is_refused_whole()
    {
        var sample = await SampleVersion.PutAsync(host);
        sample.Index.Renditions[0].Parts[1].Lengths[0] = 1_000_000_000;
        using var answer = await host.GetAsync(sample.Path("1.m4s"));
        await ShouldBeProblemAsync(answer, HttpStatusCode.InternalServerError, "internal");
    }

    [Fact]
    public void What_was_used_longest_ago_goes_first_once_the_weight_is_reached()
    {
        var cache = new WeightedLru<string, string>(weightLimit: 10);
        cache.Set("a", "1", 4);
        cache.Set("b", "2", 4);
        cache.TryGet("a", out _).ShouldBeTrue();
        cache.Set("c", "3", 4);
        cache.TryGet("b", out _).ShouldBeFalse();
        cache.TryGet("a", out _).ShouldBeTrue();
        cache.Reweigh("a", "1", 9);
        cache.TryGet("c", out _).ShouldBeFalse();
        cache.Reweigh("a", "another", 1);
        cache.Set("d", "4", 2);
        cache.Count.ShouldBe(1);
    }

    /// <summary>Until the follower's start, which empties the cache, is behind.</summary>
    private async Task WarmAsync(SampleVersion sample) => await PlaybackHost.WaitForAsync(() =>
    {
        StatusAsync(sample.Path("1.m4s")).Result.ShouldBe(HttpStatusCode.OK);
        host.Clock.Advance(LongerThanShort);
        var before = host.Catalog.IndexCalls;
        StatusAsync(sample.Path("1.m4s")).Result.ShouldBe(HttpStatusCode.OK);
        return host.Catalog.IndexCalls == before;
    });

    private async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var answer = await host.GetAsync(path);
        return answer.StatusCode;
    }
}
