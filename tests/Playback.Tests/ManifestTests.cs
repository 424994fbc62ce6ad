using System.Net;
using System.Xml.Linq;
using Hexcast.Playback.Tests.Support;
using static Hexcast.Playback.Tests.SegmentTests;

namespace Hexcast.Playback.Tests;

public sealed class ManifestTests : IAsyncLifetime
{
    private PlaybackHost host = null!;

    public async ValueTask InitializeAsync() => host = await PlaybackHost.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task The_master_playlist_leads_to_every_rendition_and_they_to_every_segment()
    {
        var sample = await SampleVersion.PutAsync(host);
        using var master = await host.GetAsync(sample.Root + "master.m3u8");
        Header(master, "Content-Type").ShouldBe("application/vnd.apple.mpegurl");
        Header(master, "Cache-Control").ShouldBe("no-cache");
        var text = await master.Content.ReadAsStringAsync();
        text.ShouldContain($"\n{SampleVersion.Version}/{SampleVersion.Video}/index.m3u8\n");
        text.ShouldContain($"URI=\"{SampleVersion.Version}/{SampleVersion.Audio}/index.m3u8\"");

        using var media = await host.GetAsync(sample.Path("index.m3u8"));
        Header(media, "Cache-Control").ShouldBe("public, max-age=31536000, immutable");
        var lines = (await media.Content.ReadAsStringAsync()).Split('\n');
        lines.ShouldContain("#EXT-X-PLAYLIST-TYPE:VOD");
        lines.ShouldContain("#EXT-X-ENDLIST");
        lines.Where(l => l.EndsWith(".m4s", StringComparison.Ordinal)).ShouldBe(["1.m4s", "2.m4s", "3.m4s", "4.m4s"]);
    }

    [Fact]
    public async Task The_mpd_lists_the_same_segments()
    {
        var sample = await SampleVersion.PutAsync(host);
        using var answer = await host.GetAsync(sample.Root + "manifest.mpd");
        Header(answer, "Content-Type").ShouldBe("application/dash+xml");
        var mpd = XDocument.Parse(await answer.Content.ReadAsStringAsync());
        ((string?)mpd.Root!.Attribute("type")).ShouldBe("static");
        var templates = mpd.Descendants().Where(e => e.Name.LocalName == "SegmentTemplate").ToList();
        templates.Count.ShouldBe(2);
        ((string?)templates[0].Attribute("media")).ShouldBe($"{SampleVersion.Version}/$RepresentationID$/$Number$.m4s");
        foreach (var s in mpd.Descendants().Where(e => e.Name.LocalName == "S"))
        {
            ((int)s.Attribute("r")! + 1).ShouldBe(4);
        }
    }

    [Fact]
    public async Task A_growing_version_is_an_event_that_is_asked_for_again_and_ends_as_a_whole()
    {
        await host.WaitForFollowerAsync();
        var sample = await SampleVersion.PutAsync(host, complete: false, parts: 1);
        using var early = await host.GetAsync(sample.Path("index.m3u8"));
        Header(early, "Cache-Control").ShouldBe("no-cache");
        var text = await early.Content.ReadAsStringAsync();
        text.ShouldContain("#EXT-X-PLAYLIST-TYPE:EVENT");
        text.ShouldNotContain("ENDLIST");
        text.ShouldNotContain("3.m4s");
        (await host.GetAsync(sample.Path("3.m4s"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        // What is there does not change any more, so that it may be kept already.
        using var segment = await host.GetAsync(sample.Path("1.m4s"));
        Header(segment, "Cache-Control").ShouldContain("immutable");

        var whole = await SampleVersion.PutAsync(host);
        foreach (var (grown, final) in sample.Index.Renditions.Zip(whole.Index.Renditions))
        {
            grown.Parts.Clear();
            grown.Parts.AddRange(final.Parts);
        }

        sample.Index.Complete = true;
        sample.Index.Revision++;
        host.Catalog.TellChange(sample.MediaId);
        await PlaybackHost.WaitForAsync(
            () => host.Http.GetStringAsync(sample.Path("index.m3u8")).Result.Contains("ENDLIST"));
        using var late = await host.GetAsync(sample.Path("index.m3u8"), ("If-None-Match", early.Headers.ETag!.Tag));
        late.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await late.Content.ReadAsStringAsync()).ShouldContain("4.m4s");
        (await host.GetAsync(sample.Path("4.m4s"))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_has_the_manifest_already_is_told_so()
    {
        var sample = await SampleVersion.PutAsync(host);
        string[] paths = [sample.Root + "master.m3u8", sample.Root + "manifest.mpd", sample.Path("index.m3u8")];
        foreach (var path in paths)
        {
            using var first = await host.GetAsync(path);
            using var again = await host.GetAsync(path, ("If-None-Match", first.Headers.ETag!.Tag));
            again.StatusCode.ShouldBe(HttpStatusCode.NotModified);
            (await again.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_media_that_cannot_be_played_yet_is_named_so()
    {
        using var answer = await host.GetAsync($"/play/{PlaybackHost.NewMediaId()}/master.m3u8");
        await ShouldBeProblemAsync(answer, HttpStatusCode.NotFound, "not_playable");
    }
}
