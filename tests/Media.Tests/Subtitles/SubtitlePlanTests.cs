using Hexcast.Media.Planning;
using Hexcast.Media.Probing;
using Hexcast.Media.Subtitles;

namespace Hexcast.Media.Tests.Subtitles;

/// <summary>Which of a source's subtitles become tracks, and what they are called.</summary>
public sealed class SubtitlePlanTests
{
    [Theory]
    [InlineData("eng", "en", "English")]
    [InlineData("ger", "de", "German")]
    [InlineData("deu", "de", "German")]
    [InlineData("en", "en", "English")]
    [InlineData("pt_br", "pt-BR", "Portuguese (BR)")]
    [InlineData("zho-hans-cn", "zh-Hans-CN", "Chinese (Hans-CN)")]
    [InlineData("haw", "haw", "haw")]
    [InlineData("und", "und", "Unknown language")]
    [InlineData(null, "und", "Unknown language")]
    [InlineData("", "und", "Unknown language")]
    [InlineData("en\"\n#EXT", "und", "Unknown language")]
    [InlineData("../../etc/passwd", "und", "Unknown language")]
    [InlineData("en-", "und", "Unknown language")]
    public void Languages_are_told_as_players_want_them(string? tag, string expected, string name)
    {
        var language = Languages.Normalize(tag);
        language.ShouldBe(expected);
        Languages.Normalize(language).ShouldBe(language);
        Languages.Name(language).ShouldBe(name);
    }

    [Fact]
    public void Text_becomes_tracks_with_names_of_their_own_and_the_rest_is_said()
    {
        var (tracks, skipped) = SubtitlePlans.Of(
        [
            Stream(2, "subrip", "eng"), Stream(3, "ass", "eng", "Commentary"), Stream(4, "mov_text", "eng"),
            Stream(5, "hdmv_pgs_subtitle", "fre"), Stream(6, "eia_608", null),
            Stream(7, "webvtt", null, " \u001b[31m\" "),
        ]);

        tracks.Select(t => (t.StreamIndex, t.Id, t.Language, t.Label)).ShouldBe(
        [
            (2, "sub-en", "en", "English"), (3, "sub-en-2", "en", "Commentary"), (4, "sub-en-3", "en", "English 2"),
            (7, "sub-und", "und", "[31m'"),
        ]);
        skipped.Select(s => (s.Codec, s.Language)).ShouldBe([("hdmv_pgs_subtitle", "fr"), ("eia_608", "und")]);
        skipped[0].Reason.ShouldContain("pictures");
    }

    [Fact]
    public void One_track_at_most_is_the_default_and_a_forced_one_is_none()
    {
        var (tracks, _) = SubtitlePlans.Of(
        [
            Stream(1, "srt", "eng") with { IsDefault = true, IsForced = true },
            Stream(2, "srt", "eng") with { IsDefault = true }, Stream(3, "srt", "ger") with { IsDefault = true },
        ]);
        tracks.Select(t => (t.IsDefault, t.IsForced)).ShouldBe([(false, true), (true, false), (false, false)]);
    }

    [Fact]
    public void Names_and_tracks_are_bounded_and_stay_unique()
    {
        var streams = Enumerable.Range(0, 200)
            .Select(i => Stream(i, "srt", "eng", string.Concat(Enumerable.Repeat("😀", 100)))).ToList();
        var (tracks, skipped) = SubtitlePlans.Of(streams);

        (tracks.Count, skipped.Count).ShouldBe((SubtitlePlans.MaxTracks, 200 - SubtitlePlans.MaxTracks));
        tracks.Select(t => t.Label).Distinct(StringComparer.Ordinal).Count().ShouldBe(tracks.Count);
        tracks.ShouldAllBe(t => SubtitlePlans.Label(t.Label) == t.Label);
        tracks.ShouldAllBe(t => t.Label.Length <= SubtitlePlans.MaxLabelChars);
    }

    [Fact]
    public void Ffprobe_tells_of_subtitles()
    {
        var probe = SourceProbe.Parse("""
            {"streams":[
              {"index":0,"codec_type":"video","codec_name":"h264","width":320,"height":180,"time_base":"1/25"},
              {"index":1,"codec_type":"subtitle","codec_name":"mov_text","disposition":{"default":1,"forced":0},
               "tags":{"language":"ger","title":"Für alle"}},
              {"index":2,"codec_type":"subtitle","tags":7,"disposition":[]}],
             "format":{"format_name":"matroska,webm"}}
            """);
        probe.Subtitles.ShouldBe(
        [
            new SubtitleStream
            {
                Index = 1, Codec = "mov_text", Language = "ger", Title = "Für alle", IsDefault = true,
            },
            new SubtitleStream { Index = 2, Codec = "unknown" },
        ]);
    }

    private static SubtitleStream Stream(int index, string codec, string? language, string? title = null) =>
        new() { Index = index, Codec = codec, Language = language, Title = title };
}
