using System.Net;
using System.Text.RegularExpressions;
using Hexcast.Contracts.V1;
using Hexcast.Playback.Tests.Support;
using static Hexcast.Playback.Tests.SegmentTests;

namespace Hexcast.Playback.Tests;

/// <summary>The watch page as it leaves the server, before any script.</summary>
public sealed partial class WatchHtmlTests : IAsyncLifetime
{
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() => host = await PlaybackHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_title_stays_text_wherever_it_stands()
    {
        var html = await PageAsync("\"><script>alert(1)</script>'&amp; naïve 影片");
        html.ShouldNotContain("<script>alert");
        html.ShouldNotContain("\"><script");
        html.ShouldContain("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#x27;&amp;amp; naïve 影片");
    }

    [Fact]
    public async Task Nothing_but_own_files_may_run()
    {
        var media = Put("A title");
        using var answer = await host.GetAsync($"/watch/{media}");
        var policy = Header(answer, "Content-Security-Policy");
        policy.ShouldContain("default-src 'none'; script-src 'self'; style-src 'self'");
        policy.ShouldNotContain("unsafe");
        Header(answer, "X-Content-Type-Options").ShouldBe("nosniff");
        Header(answer, "Cache-Control").ShouldBe("no-store");
        var html = await answer.Content.ReadAsStringAsync();
        html.ShouldNotContain("style=");
        InlineScript().Count(html).ShouldBe(0);
    }

    [Fact]
    public async Task Every_file_of_the_page_is_there_packed_and_plain_and_never_ages()
    {
        var html = await PageAsync("A title");
        var files = Asset().Matches(html).Select(m => m.Value).Distinct().ToList();
        var folder = files[0][..files[0].LastIndexOf('/')];
        files.AddRange([$"{folder}/player.js", $"{folder}/view.js"]);
        files.Count.ShouldBe(6);
        foreach (var file in files)
        {
            using var plain = await host.GetAsync(file);
            plain.StatusCode.ShouldBe(HttpStatusCode.OK, file);
            Header(plain, "Cache-Control").ShouldBe("public, max-age=31536000, immutable");
            using var packed = await host.GetAsync(file, ("Accept-Encoding", "gzip, br"));
            Header(packed, "Content-Encoding").ShouldBe("gzip");
            await using var unpacked = new System.IO.Compression.GZipStream(
                await packed.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
            using var text = new StreamReader(unpacked);
            (await text.ReadToEndAsync()).ShouldBe(await plain.Content.ReadAsStringAsync());
        }
    }

    [Theory]
    [InlineData("/assets/playback/0000000000000000/watch.js")]
    [InlineData("/assets/playback/x/..%2f..%2fkeys%2fplayback.json")]
    [InlineData("/watch/nonsense")]
    [InlineData("/watch/0j2qv8v3r0000000000000000v")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        using var answer = await host.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [GeneratedRegex("<script(?![^>]* src=)", RegexOptions.None, 1000)]
    private static partial Regex InlineScript();

    [GeneratedRegex("/assets/playback/[0-9a-f]{16}/[a-z.-]+", RegexOptions.None, 1000)]
    private static partial Regex Asset();

    private async Task<string> PageAsync(string title)
    {
        using var answer = await host.GetAsync($"/watch/{Put(title)}");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStringAsync();
    }

    private string Put(string title)
    {
        var media = PlaybackHost.NewMediaId();
        host.Catalog.Set(new MediaRecord { MediaId = media, State = MediaState.Processing, Title = title });
        return media;
    }
}
