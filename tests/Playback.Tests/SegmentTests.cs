using System.Net;
using System.Net.Http.Headers;
using Hexcast.Playback.Tests.Support;

namespace Hexcast.Playback.Tests;

public sealed class SegmentTests : IAsyncLifetime
{
    private PlaybackHost host = null!;
    private SampleVersion sample = null!;

    public async ValueTask InitializeAsync()
    {
        host = await PlaybackHost.StartAsync();
        sample = await SampleVersion.PutAsync(host);
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Every_segment_and_initialization_is_the_bytes_that_the_index_names()
    {
        foreach (var rendition in new[] { SampleVersion.Video, SampleVersion.Audio })
        {
            (await BytesAsync(sample.Path("init.mp4", rendition))).ShouldBe(sample.Init(rendition));
            for (var number = 1; number <= 4; number++)
            {
                (await BytesAsync(sample.Path($"{number}.m4s", rendition))).ShouldBe(sample.Segment(number, rendition));
            }
        }

        (await BytesAsync(sample.Root + "poster.jpg")).ShouldBe(sample.Poster);
    }

    [Fact]
    public async Task A_segment_may_be_kept_for_ever_by_anybody_and_read_by_any_page()
    {
        using var answer = await host.GetAsync(sample.Path("1.m4s"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        Header(answer, "Cache-Control").ShouldBe("public, max-age=31536000, immutable");
        Header(answer, "Content-Type").ShouldBe("video/mp4");
        Header(answer, "Accept-Ranges").ShouldBe("bytes");
        Header(answer, "Access-Control-Allow-Origin").ShouldBe("*");
        Header(answer, "Access-Control-Expose-Headers").ShouldContain("Content-Range");
        answer.Headers.ETag!.IsWeak.ShouldBeFalse();
        using var sound = await host.GetAsync(sample.Path("1.m4s", SampleVersion.Audio));
        Header(sound, "Content-Type").ShouldBe("audio/mp4");
    }

    [Theory]
    [InlineData("bytes=0-99", 0, 100)]
    [InlineData("bytes=100-100", 100, 1)]
    [InlineData("bytes=150000-", 150_000, 38)]
    [InlineData("bytes=-10", 150_028, 10)]
    [InlineData("bytes=-999999999", 0, 150_038)]
    [InlineData("bytes=10-99999999999999999999999999", 10, 150_028)]
    [InlineData("BYTES=5-9", 5, 5)]
    public async Task A_range_is_answered_with_exactly_its_bytes(string range, int from, int count)
    {
        using var answer = await host.GetAsync(sample.Path("1.m4s"), ("Range", range));
        answer.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        var whole = sample.Segment(1);
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBe(whole.AsSpan(from, count).ToArray());
        Header(answer, "Content-Range").ShouldBe($"bytes {from}-{from + count - 1}/{whole.Length}");
    }

    [Theory]
    [InlineData("bytes=0-1,5-9")]
    [InlineData("bytes=9-5")]
    [InlineData("bytes=-")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=+1-5")]
    [InlineData("items=0-5")]
    [InlineData("bytes")]
    public async Task A_range_that_is_several_or_none_is_ignored(string range)
    {
        using var answer = await host.GetAsync(sample.Path("1.m4s"), ("Range", range));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBe(sample.Segment(1));
    }

    [Theory]
    [InlineData("bytes=150038-")]
    [InlineData("bytes=999999-9999999")]
    [InlineData("bytes=-0")]
    public async Task A_range_behind_the_end_is_not_satisfiable_and_told_the_length(string range)
    {
        using var answer = await host.GetAsync(sample.Path("1.m4s"), ("Range", range));
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable);
        Header(answer, "Content-Range").ShouldBe("bytes */150038");
        Header(answer, "Cache-Control").ShouldBe("no-store");
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_has_the_segment_already_is_told_so_without_its_bytes()
    {
        using var first = await host.GetAsync(sample.Path("2.m4s"));
        var tag = first.Headers.ETag!.Tag;
        foreach (var known in new[] { tag, $"W/{tag}", "*", $"\"other\", {tag}" })
        {
            using var answer = await host.GetAsync(
                sample.Path("2.m4s"), ("If-None-Match", known), ("Range", "bytes=0-5"));
            answer.StatusCode.ShouldBe(HttpStatusCode.NotModified);
            answer.Headers.ETag!.Tag.ShouldBe(tag);
            Header(answer, "Cache-Control").ShouldContain("immutable");
        }

        using var other = await host.GetAsync(sample.Path("2.m4s"), ("If-None-Match", "\"other\""));
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_range_holds_only_for_the_tag_that_it_was_begun_with()
    {
        using var first = await host.GetAsync(sample.Path("2.m4s"));
        var tag = first.Headers.ETag!.Tag;
        (await StatusAsync(("Range", "bytes=0-5"), ("If-Range", tag))).ShouldBe(HttpStatusCode.PartialContent);
        (await StatusAsync(("Range", "bytes=0-5"), ("If-Range", "\"other\""))).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(("Range", "bytes=0-5"), ("If-Range", $"W/{tag}"))).ShouldBe(HttpStatusCode.OK);
        const string Date = "Sun, 22 Nov 2026 10:00:00 GMT";
        (await StatusAsync(("Range", "bytes=0-5"), ("If-Range", Date))).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(("If-Match", "\"other\""))).ShouldBe(HttpStatusCode.PreconditionFailed);
        (await StatusAsync(("If-Match", tag))).ShouldBe(HttpStatusCode.OK);

        async Task<HttpStatusCode> StatusAsync(params (string, string)[] headers)
        {
            using var answer = await host.GetAsync(sample.Path("2.m4s"), headers);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Head_says_what_get_would_without_a_body()
    {
        foreach (var path in new[] { sample.Path("1.m4s"), sample.Path("index.m3u8"), sample.Root + "manifest.mpd" })
        {
            using var get = await host.GetAsync(path);
            using var head = await host.SendAsync(HttpMethod.Head, path, ("Range", "bytes=0-5"));
            head.StatusCode.ShouldBe(HttpStatusCode.OK);
            head.Content.Headers.ContentLength.ShouldBe(get.Content.Headers.ContentLength);
            head.Headers.ETag.ShouldBe(get.Headers.ETag);
            head.Content.Headers.ContentType.ShouldBe(get.Content.Headers.ContentType);
            (await head.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("0.m4s")]
    [InlineData("5.m4s")]
    [InlineData("01.m4s")]
    [InlineData("+1.m4s")]
    [InlineData("-1.m4s")]
    [InlineData("1.0.m4s")]
    [InlineData("99999999999999.m4s")]
    [InlineData("%201.m4s")]
    [InlineData("1.mp4")]
    [InlineData("..%2f..%2f..%2f..%2fkeys%2fplayback.json")]
    [InlineData("..%2f..%2fmaster.m3u8")]
    [InlineData("%2e%2e%2f1.m4s")]
    public async Task A_name_that_is_no_segment_is_not_found(string name)
    {
        using var answer = await host.GetAsync(sample.Path(name));
        await ShouldBeProblemAsync(answer, HttpStatusCode.NotFound, "not_found");
        Header(answer, "Access-Control-Allow-Origin").ShouldBe("*");
        Header(answer, "Cache-Control").ShouldBe("no-store");
    }

    [Fact]
    public async Task Other_media_versions_and_renditions_are_not_found()
    {
        foreach (var path in new[]
        {
            $"/play/{PlaybackHost.NewMediaId()}/{SampleVersion.Version}/{SampleVersion.Video}/1.m4s",
            $"/play/{sample.MediaId.ToUpperInvariant()}/master.m3u8",
            $"/play/../play/{sample.MediaId}x/master.m3u8",
            $"/play/%2e%2e/{sample.MediaId}/poster.jpg",
            $"{sample.Root}other/{SampleVersion.Video}/1.m4s",
            $"{sample.Root}{SampleVersion.Version}/h264-9999/1.m4s",
            $"{sample.Root}{SampleVersion.Version}/h264-9999/index.m3u8",
            $"{sample.Root}nothing",
            "/play/",
        })
        {
            using var answer = await host.GetAsync(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        }
    }

    [Fact]
    public async Task Another_origins_page_may_ask_before_it_asks_for_a_range()
    {
        using var answer = await host.SendAsync(
            HttpMethod.Options, sample.Path("1.m4s"), ("Origin", "https://example.org"),
            ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "range"));
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Header(answer, "Access-Control-Allow-Origin").ShouldBe("*");
        Header(answer, "Access-Control-Allow-Methods").ShouldBe("GET, HEAD");
        Header(answer, "Access-Control-Allow-Headers").ShouldContain("Range");
    }

    [Fact]
    public async Task Bytes_that_are_gone_are_not_found_rather_than_cut_short()
    {
        await host.Store.DeletePrefixAsync($"media/{sample.MediaId}/", TestContext.Current.CancellationToken);
        using var answer = await host.GetAsync(sample.Path("1.m4s"));
        await ShouldBeProblemAsync(answer, HttpStatusCode.NotFound, "not_found");
        answer.Headers.ETag.ShouldBeNull();
    }

    internal static string Header(HttpResponseMessage answer, string name) =>
        // As it came: HttpClient would parse it and put its parts in another order.
        string.Join(", ", answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated)
            .Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value.ToString()));

    internal static async Task ShouldBeProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        var body = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, body);
        answer.Content.Headers.ContentType.ShouldBe(new MediaTypeHeaderValue("application/problem+json"));
        body.ShouldContain($"\"code\":\"{code}\"");
    }

    private async Task<byte[]> BytesAsync(string path)
    {
        using var answer = await host.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsByteArrayAsync();
    }
}
