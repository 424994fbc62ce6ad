using System.Net;
using Hexcast.Playback.Tests.Support;

namespace Hexcast.Playback.Tests;

/// <summary>What every address under /play has in common, kind by kind.</summary>
public sealed class ConditionTests : IAsyncLifetime
{
    private PlaybackHost host = null!;
    private SampleVersion sample = null!;
    private SampleVersion signed = null!;

    public static TheoryData<string, bool> Kinds() => new()
    {
        { "master.m3u8", false },
        { "manifest.mpd", false },
        { "poster.jpg", true },
        { $"{SampleVersion.Version}/{SampleVersion.Video}/index.m3u8", false },
        { $"{SampleVersion.Version}/{SampleVersion.Video}/init.mp4", true },
        { $"{SampleVersion.Version}/{SampleVersion.Video}/1.m4s", true },
    };

    public async ValueTask InitializeAsync()
    {
        host = await PlaybackHost.StartAsync();
        sample = await SampleVersion.PutAsync(host);
        signed = await SampleVersion.PutAsync(host, policy: "signed");
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_kind_of_address_keeps_preconditions_ranges_and_tokens(string file, bool ranged)
    {
        using var whole = await host.GetAsync(sample.Root + file);
        whole.StatusCode.ShouldBe(HttpStatusCode.OK);
        var etag = whole.Headers.ETag!.ToString();

        (await StatusAsync(sample.Root + file, ("If-None-Match", etag))).ShouldBe(HttpStatusCode.NotModified);
        (await StatusAsync(sample.Root + file, ("If-Match", "\"another\""))).ShouldBe(
            HttpStatusCode.PreconditionFailed);
        (await StatusAsync(sample.Root + file, ("Range", "bytes=0-9"))).ShouldBe(
            ranged ? HttpStatusCode.PartialContent : HttpStatusCode.OK);
        (await StatusAsync(sample.Root + file, ("Range", "bytes=999999999-"))).ShouldBe(
            ranged ? HttpStatusCode.RequestedRangeNotSatisfiable : HttpStatusCode.OK);
        (await StatusAsync(signed.Root + file)).ShouldBe(HttpStatusCode.Unauthorized);
        (await StatusAsync($"{signed.Root}{file}?token=none")).ShouldBe(HttpStatusCode.Forbidden);
        (await StatusAsync($"/play/{PlaybackHost.NewMediaId()}/{file}")).ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task<HttpStatusCode> StatusAsync(string path, params (string Name, string Value)[] headers)
    {
        using var answer = await host.GetAsync(path, headers);
        return answer.StatusCode;
    }
}
