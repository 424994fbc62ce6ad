using System.Xml.Linq;
using Hexcast.Media.IsoBmff;
using Hexcast.Media.Manifests;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.Manifests;

/// <summary>Whole manifests, in golden/.</summary>
public sealed class ManifestTests
{
    private static readonly DateTimeOffset Created = new(2026, 11, 22, 10, 0, 0, TimeSpan.FromHours(2));

    // Three segments and a last one of one frame; a pause in the second.
    private static readonly VersionIndex Complete = new()
    {
        Complete = true,
        TargetDurationSeconds = 6,
        DurationSeconds = 14.04,
        Renditions =
        [
            Video("h264-720", "avc1.64001f", 1280, 720, 500_000),
            Video("h264-360", "avc1.4d401e", 640, 360, 100_000),
            new RenditionTrack
            {
                Id = "aac-128", Kind = TrackKind.Audio, Codec = "mp4a.40.2", Channels = 2, SampleRateHz = 48_000,
                Timescale = 48_000,
                Segments =
                [
                    new(1, 0, 192_512, 64_000), new(2, 192_512, 191_488, 64_100), new(3, 384_000, 289_792, 97_000),
                ],
            },
        ],
    };

    private static readonly VersionIndex Growing = Complete with
    {
        Complete = false,
        Renditions = [.. Complete.Renditions.Select((r, i) => r with { Segments = [.. r.Segments.Take(2 - i)] })],
    };

    [Fact]
    public void A_complete_version_as_hls()
    {
        Golden.ShouldMatch(HlsManifest.Master(Complete, Playlist), "complete-master.m3u8");
        Golden.ShouldMatch(HlsManifest.Media(Complete, "h264-720"), "complete-video.m3u8");
        Golden.ShouldMatch(HlsManifest.Media(Complete, "aac-128"), "complete-audio.m3u8");
    }

    [Fact]
    public void A_growing_version_as_hls_begins_at_its_beginning_and_has_no_end()
    {
        Golden.ShouldMatch(HlsManifest.Master(Growing, Playlist), "growing-master.m3u8");
        Golden.ShouldMatch(HlsManifest.Media(Growing, "h264-720", "?token=a.b-c"), "growing-video.m3u8");
    }

    [Fact]
    public void A_growing_playlist_only_ever_gets_longer()
    {
        var before = HlsManifest.Media(Growing, "h264-720");
        var after = HlsManifest.Media(Growing with { Renditions = Complete.Renditions }, "h264-720");

        after.ShouldStartWith(before);
    }

    [Fact]
    public void Text_tracks_stand_in_both_manifests()
    {
        Golden.ShouldMatch(HlsManifest.Master(Subtitled, Playlist), "subtitled-master.m3u8");
        Golden.ShouldMatch(HlsManifest.Subtitles(Subtitled, "subtitles.vtt", "?token=a.b-c"), "subtitles.m3u8");
        Golden.ShouldMatch(DashManifest.Mpd(Subtitled, "v1", "", Created, Created), "subtitled.mpd");
    }

    [Fact]
    public void Nothing_in_a_label_gets_out_of_its_place()
    {
        var hostile = Subtitled with
        {
            Subtitles = [Subtitled.Subtitles[0] with { Label = "\"\n#EXT-X-ENDLIST\r\n</Label><x y='" }],
        };
        var lines = HlsManifest.Master(hostile, Playlist).Split('\n');
        lines.ShouldNotContain("#EXT-X-ENDLIST");
        lines.Single(l => l.Contains("SUBTITLES,")).Count(c => c == '"').ShouldBe(8);
        XDocument.Parse(DashManifest.Mpd(hostile, "v1", "", Created, Created)).Descendants()
            .ShouldNotContain(e => e.Name.LocalName == "x");
    }

    [Fact]
    public void A_storyboard_names_a_place_on_a_sheet_for_each_stretch()
    {
        var index = new StoryboardIndex
        {
            TileWidth = 160, TileHeight = 90, Columns = 2, Rows = 2, StartSeconds = [0, 2, 4, 6, 3599.96],
            EndSeconds = 3600.5, Sheets = [],
        };
        Golden.ShouldMatch(StoryboardManifest.WebVtt(index, sheet => $"v1/storyboard/{sheet}.jpg?token=x"),
            "storyboard.vtt");
    }

    private static readonly VersionIndex Subtitled = Complete with
    {
        Subtitles =
        [
            new TextTrack
            {
                Id = "sub-en", Language = "en", Label = "English", IsDefault = true, LengthBytes = 4_000,
            },
            new TextTrack
            {
                Id = "sub-de-de", Language = "de-DE", Label = "Schilder", IsForced = true, LengthBytes = 9,
            },
        ],
    };

    [Fact]
    public void A_complete_version_as_dash() =>
        Golden.ShouldMatch(DashManifest.Mpd(Complete, "v1", "", Created, Created), "complete.mpd");

    [Fact]
    public void A_growing_version_as_dash() => Golden.ShouldMatch(
        DashManifest.Mpd(Growing, "v1", "?token=a&b=$x", Created, Created.AddSeconds(3)), "growing.mpd");

    [Fact]
    public void What_is_not_there_yet_is_not_in_a_manifest()
    {
        var nothing = Growing with { Renditions = [.. Growing.Renditions.Select(r => r with { Segments = [] })] };

        HlsManifest.Master(nothing, Playlist).ShouldNotContain("STREAM-INF");
        HlsManifest.Media(nothing, "h264-720").ShouldNotContain("EXTINF");
        XDocument.Parse(DashManifest.Mpd(nothing, "v1", "", Created, Created)).ToString()
            .ShouldNotContain("AdaptationSet");
    }

    [Fact]
    public void Nothing_in_an_address_gets_out_of_its_place()
    {
        const string query = "?token=\"\n#EXT-X-ENDLIST\r\n<&>'";
        var playlist = HlsManifest.Media(Growing, "h264-720", query);
        var master = HlsManifest.Master(Growing, id => id + query);

        // A line or attribute that was not meant would be another line, or another quote.
        playlist.Split('\n').Count(l => l.StartsWith("#EXT-X-ENDLIST", StringComparison.Ordinal)).ShouldBe(0);
        playlist.ShouldNotContain('\r');
        foreach (var line in playlist.Split('\n').Concat(master.Split('\n'))
            .Where(l => l.Contains("URI=", StringComparison.Ordinal)))
        {
            line.EndsWith('"').ShouldBeTrue(line);
            (line.Count(c => c == '"') % 2).ShouldBe(0, line);
        }
        var template = XDocument.Parse(DashManifest.Mpd(Growing, "v1", query, Created, Created)).Descendants()
            .First(e => e.Name.LocalName == "SegmentTemplate");
        template.Attribute("media")!.Value.ShouldEndWith("$Number$.m4s" + query);
    }

    [Fact]
    public void The_peak_bit_rate_is_that_of_the_worst_stretch_not_of_a_last_segment_of_one_frame()
    {
        var rate = TrackBitrate.Measure(Complete.Renditions[0], targetDurationSeconds: 6);

        // 500 kB in 4 s; the last 20 kB in 0.04 s count only together with what is before them.
        rate.Peak.ShouldBe((long)Math.Ceiling(520_000 * 8 / 4.04));
        rate.Average.ShouldBe((long)Math.Ceiling(1_520_000 * 8 / 14.04));
        var single = Complete.Renditions[0] with { Segments = [new(1, 0, 512, 20_000)] };
        TrackBitrate.Measure(single, targetDurationSeconds: 6).Peak.ShouldBe(4_000_000);
    }

    private static string Playlist(string id) => $"v1/{id}/index.m3u8";

    private static RenditionTrack Video(string id, string codec, int width, int height, int bytes) => new()
    {
        Id = id,
        Kind = TrackKind.Video,
        Codec = codec,
        Width = width,
        Height = height,
        FrameRate = 24_000 / 1001.0,
        Timescale = 12_800,
        Segments =
        [
            new(1, 0, 51_200, bytes), new(2, 51_200, 76_800, bytes), new(3, 128_000, 51_200, bytes),
            new(4, 179_200, 512, bytes / 25),
        ],
    };
}
