using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Hexcast.Media.Subtitles;

namespace Hexcast.Media.Tests.Subtitles;

/// <summary>Text tracks come from strangers and go to browsers.</summary>
public sealed partial class SubtitleTextTests
{
    [Fact]
    public void WebVtt_keeps_its_cues_and_nothing_else()
    {
        var cues = Read("""
            WEBVTT - a title

            STYLE
            ::cue { background: url(https://evil.example/x) }

            NOTE what --> is not a cue
            00:00.000 --> 00:09.000

            REGION
            id:fred

            intro
            00:01.000 --> 00:02.500 align:start position:10%
            Hello

            100:00:03.000 --> 100:00:04.000
            - one
            - two
            """);

        cues.ShouldBe(
        [
            new SubtitleCue(Seconds(1), Seconds(2.5), "Hello", "position:10% align:start"),
            new SubtitleCue(Seconds(360_003), Seconds(360_004), "- one\n- two"),
        ]);
    }

    [Fact]
    public void SubRip_is_read_as_well_and_comes_out_in_order()
    {
        var cues = Read("\uFEFF2\r\n00:00:05,000 --> 00:00:06,000\r\nlater\r\n\r\n"
            + "1\r\n00:00:01,250 --> 00:00:02,000\r\nfirst\r\n");
        cues.Select(c => c.Text).ShouldBe(["first", "later"]);
        Encoding.UTF8.GetString(SubtitleText.Write(cues)).ShouldBe(
            "WEBVTT\n\n00:00:01.250 --> 00:00:02.000\nfirst\n\n00:00:05.000 --> 00:00:06.000\nlater\n");
    }

    [Theory]
    [InlineData("<b>bold</b> <i>slant</i> <u>line</u>", "<b>bold</b> <i>slant</i> <u>line</u>")]
    [InlineData("<B.loud>bold", "<b>bold</b>")]
    [InlineData("<script>alert(1)</script>", "alert(1)")]
    [InlineData("<img src=x onerror=alert(1)>", "")]
    [InlineData("<v Fred>Hi <c.red>you</c></v>", "Hi you")]
    [InlineData("<ruby>漢<rt>kan</rt></ruby>", "<ruby>漢<rt>kan</rt></ruby>")]
    [InlineData("<rt>alone</rt>", "alone")]
    [InlineData("<b><i>crossed</b></i>", "<b><i>crossed</i></b>")]
    [InlineData("</b>never opened", "never opened")]
    [InlineData("a <00:00:02.000>word", "a word")]
    [InlineData("I <3 you", "I &lt;3 you")]
    [InlineData("1 < 2 > 0 & so on", "1 &lt; 2 &gt; 0 &amp; so on")]
    [InlineData("AT&amp;T &lt;b&gt; &nbsp;&lrm;", "AT&amp;T &lt;b&gt; &nbsp;&lrm;")]
    [InlineData("&#60;script&#x3E; &#xD800; &unknown;", "&lt;script&gt; &amp;#xD800; &amp;unknown;")]
    [InlineData("00:01.000 --> 00:02.000", "00:01.000 --&gt; 00:02.000")]
    [InlineData("a\u0000b\u001b[31mc\u2028d", "ab[31mc d")]
    [InlineData("<!-- a --> b <?php ?>", "b")]
    [InlineData("<b", "&lt;b")]
    [InlineData("<b><i></i></b>", "<b><i></i></b>")]
    public void Cue_text_keeps_letters_and_harmless_tags(string raw, string clean) =>
        CueText.Clean(raw).ShouldBe(clean);

    [Theory]
    [InlineData("line:0 position:20%,line-left size:50.5%", "line:0 position:20%,line-left size:50.5%")]
    [InlineData("align:end\tline:-3,center  vertical:rl", "vertical:rl line:-3,center align:end")]
    [InlineData("align:left align:center", "align:center")]
    [InlineData("position:101% size:-1% line:1.5 align:middle vertical:up region:fred", "")]
    [InlineData("position:10%; line:0\u2028 LINE:0 line: 0 :", "")]
    [InlineData("line:99999 position:1e1% size:٣%", "")]
    [InlineData("--> 00:00.000 <b> align:start&amp;", "")]
    public void Cue_settings_are_the_standards_or_left_out(string raw, string clean)
    {
        CueSettings.Clean(raw).ShouldBe(clean);
        var cue = Read($"WEBVTT\n\n00:01.000 --> 00:02.000 {raw}\nHello\n").ShouldHaveSingleItem();
        cue.Settings.ShouldBe(clean);
        Read(Encoding.UTF8.GetString(SubtitleText.Write([cue]))).ShouldBe([cue]);
    }

    [Fact]
    public void Whatever_stands_behind_the_times_ends_in_settings_that_read_as_they_are_written() =>
        Prop.ForAll(
            Gen.Elements(
                "vertical", "line", "position", "size", "align", "region", ":", ",", "%", " ", "\t", "-", ".", "rl",
                "lr", "0", "7", "50", "100", "101", "start", "center", "end", "left", "right", "line-left", "-->", "<",
                "é", "\0")
                .ListOf().Select(string.Concat).ToArbitrary(),
            raw =>
            {
                var clean = CueSettings.Clean(raw);
                return CueSettings.Clean(clean) == clean && clean.Length < 100 && clean.Count(c => c == ':') <= 5
                    && Harmless().IsMatch(clean);
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_tag_that_goes_leaves_no_blank_line_that_would_end_the_cue() =>
        CueText.Clean("one\n<x>\n \n<y></y>\ntwo").ShouldBe("one\ntwo");

    [Fact]
    public void A_cue_is_bounded()
    {
        CueText.Clean(new string('x', 5_000)).Length.ShouldBe(CueText.MaxChars);
        CueText.Clean(string.Join('\n', Enumerable.Repeat("x", 50))).Split('\n').Length.ShouldBe(CueText.MaxLines);
        CueText.Clean(string.Concat(Enumerable.Repeat("<b>", 3_000)) + "x").ShouldBe(
            string.Concat(Enumerable.Repeat("<b>", CueText.MaxDepth)) + "x"
            + string.Concat(Enumerable.Repeat("</b>", CueText.MaxDepth)));
    }

    /// <summary>Work that grows with the square of the file would hold a slot for hours.</summary>
    [Theory]
    [InlineData("<b>", "</i>")]
    [InlineData("<b></b>", "<ruby><rt>")]
    [InlineData("<", "&")]
    [InlineData("x\n", "\n<b>\n")]
    [InlineData("-->", "00:00:01.000 --> ")]
    public void A_cue_of_the_whole_file_is_read_in_a_moment(string first, string second)
    {
        var half = SubtitleText.MaxBytes / 2 - 100;
        var text = new StringBuilder("00:00:01.000 --> 00:00:02.000\n")
            .Insert(0, "1\n").Append(string.Concat(Enumerable.Repeat(first, half / first.Length)))
            .Append(string.Concat(Enumerable.Repeat(second, half / second.Length))).ToString();
        var start = TimeProvider.System.GetTimestamp();
        var cues = Read(text);
        TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(30));
        SubtitleText.Write(cues).Length.ShouldBeLessThan(20_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("WEBVTT")]
    [InlineData("00:01.000 --> 00:02.000")]
    [InlineData("00:02.000 --> 00:01.000\nends before it begins")]
    [InlineData("00:61.000 --> 01:02.000\nno such minute")]
    [InlineData("99999:00:00.000 --> 99999:00:01.000\ntoo late")]
    [InlineData("1:2:3 --> 4\nno times")]
    public void What_is_no_cue_is_left_out(string text) => Read(text).ShouldBeEmpty();

    [Fact]
    public void What_is_no_text_or_too_much_of_it_is_refused_by_name()
    {
        Refused([0x57, 0, 0x45]);
        Refused(new byte[SubtitleText.MaxBytes + 1]);
        Refused(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, SubtitleText.MaxCues + 1)
            .Select(i => $"00:{i / 60 % 60:00}:{i % 60:00}.000 --> 24:00:00.000\nx\n\n"))));

        static void Refused(byte[] bytes) => Should.Throw<MediaException>(() => SubtitleText.Read(bytes))
            .Code.ShouldBe(MediaErrorCode.SubtitleUnreadable);
    }

    [Fact]
    public void Cues_are_moved_to_the_timeline_and_cut_at_its_ends()
    {
        SubtitleCue[] cues =
        [
            new(Seconds(1), Seconds(2), "before"), new(Seconds(4), Seconds(6), "over the start"),
            new(Seconds(7), Seconds(8), "within"), new(Seconds(14), Seconds(99), "over the end"),
            new(Seconds(20), Seconds(21), "behind"),
        ];
        SubtitleText.Shift(cues, origin: Seconds(5), duration: Seconds(10)).ShouldBe(
        [
            new(Seconds(0), Seconds(1), "over the start"), new(Seconds(2), Seconds(3), "within"),
            new(Seconds(9), Seconds(10), "over the end"),
        ]);
        SubtitleText.Shift([new(Seconds(1), Seconds(2), "x")], origin: Seconds(-3), duration: Seconds(10))
            .ShouldBe([new(Seconds(4), Seconds(5), "x")]);
    }

    [Fact]
    public void Whatever_comes_in_what_goes_out_is_WebVtt_without_markup_of_others()
    {
        string[] pieces =
        [
            "<b>", "</b>", "<i", ">", "<script>", "</", "&", "&lt;", "&#60;", ";", "\n", "\n\n", "-->", " ", "x",
            "<<b>>", "00:00:01.000 --> 00:00:02.000\n", "1\n", "\u0001", "\uD83D\uDE00", "\uFEFF", "WEBVTT", "NOTE",
            "é", "\r", "\t",
        ];
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var text = "00:00:00.000 --> 00:00:09.000\n" + string.Concat(
                Enumerable.Range(0, random.Next(60)).Select(_ => pieces[random.Next(pieces.Length)]));
            var cues = Read(text);
            foreach (var cue in cues)
            {
                Markup().Replace(cue.Text, "").ShouldNotContain('<', $"seed {seed}");
                cue.Text.ShouldNotContain("-->", Case.Sensitive, $"seed {seed}");
                cue.Text.ShouldNotContain("\n\n", Case.Sensitive, $"seed {seed}");
                CueText.Clean(cue.Text).ShouldBe(cue.Text, $"seed {seed}: what is clean stays as it is");
            }

            SubtitleText.Read(SubtitleText.Write(cues)).ShouldBe(cues, $"seed {seed}");
        }
    }

    private static IReadOnlyList<SubtitleCue> Read(string text) => SubtitleText.Read(Encoding.UTF8.GetBytes(text));

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [GeneratedRegex(@"^[a-z0-9:,.% -]*\z", RegexOptions.None, 1000)]
    private static partial Regex Harmless();

    [GeneratedRegex("</?(b|i|u|ruby|rt)>", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Markup();
}
