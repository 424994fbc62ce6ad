using System.Text.Json.Nodes;
using Hexcast.Media.Probing;

namespace Hexcast.Media.Tests.Probing;

public sealed class SourceProbeTests
{
    private const string Video = """
        {"index":0,"codec_name":"h264","codec_type":"video","width":1920,"height":1080,"time_base":"1/12800",
         "avg_frame_rate":"25/1","pix_fmt":"yuv420p","color_range":"tv","field_order":"progressive"}
        """;
    private const string Audio = """
        {"index":1,"codec_name":"aac","codec_type":"audio","sample_rate":"44100","channels":6,"start_time":"-0.021"}
        """;

    [Fact]
    public void Streams_are_read()
    {
        var probe = Parse(Video, Audio);

        probe.FormatName.ShouldBe("mov,mp4");
        probe.SizeBytes.ShouldBe(123);
        probe.DurationSeconds.ShouldBe(20.5);
        probe.Video.ShouldBe(new VideoStream
        {
            Index = 0,
            Codec = "h264",
            Width = 1920,
            Height = 1080,
            TimeBase = new Rational(1, 12_800),
            FrameRate = new Rational(25, 1),
            PixelFormat = "yuv420p",
            ColorRange = "tv",
        });
        probe.Audio.ShouldBe(new AudioStream
        {
            Index = 1,
            Codec = "aac",
            SampleRateHz = 44_100,
            Channels = 6,
            StartSeconds = -0.021,
        });
    }

    [Theory]
    [InlineData("""{"side_data_list":[{"side_data_type":"Display Matrix","rotation":-90}]}""", 90, 1080, 1920)]
    [InlineData("""{"side_data_list":[{"rotation":90}]}""", 270, 1080, 1920)]
    [InlineData("""{"side_data_list":[{"rotation":180}]}""", 180, 1920, 1080)]
    [InlineData("""{"sample_aspect_ratio":"4:3"}""", 0, 2560, 1080)]
    [InlineData("""{"sample_aspect_ratio":"0:1"}""", 0, 1920, 1080)]
    [InlineData("""{"sample_aspect_ratio":"4:3","side_data_list":[{"rotation":-90}]}""", 90, 1080, 2560)]
    public void The_size_is_what_a_viewer_sees(string more, int rotation, int width, int height)
    {
        var video = Parse(With(Video, more)).Video!;

        video.RotationDegrees.ShouldBe(rotation);
        (video.Width, video.Height).ShouldBe((width, height));
    }

    [Fact]
    public void A_cover_picture_is_no_video_and_the_default_sound_is_taken()
    {
        var cover = With(Video, """{"disposition":{"attached_pic":1}}""");
        var second = With(Audio, """{"index":2,"disposition":{"default":1}}""");

        Parse(cover, Audio).Video.ShouldBeNull();
        Parse(cover, With(Video, """{"index":3}""")).Video!.Index.ShouldBe(3);
        Parse(Video, Audio, second).Audio!.Index.ShouldBe(2);
        Parse(Video, With(Audio, """{"codec_name":"unknown"}""")).Audio.ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"width":8194}""", MediaErrorCode.SourceTooLarge)]
    [InlineData("""{"sample_aspect_ratio":"100:1"}""", MediaErrorCode.SourceTooLarge)]
    [InlineData("""{"height":8}""", MediaErrorCode.SourceUnsupportedFormat)]
    [InlineData("""{"width":0}""", MediaErrorCode.SourceUnsupportedFormat)]
    [InlineData("""{"codec_name":"none"}""", MediaErrorCode.SourceUnsupportedFormat)]
    [InlineData("""{"time_base":"0/0"}""", MediaErrorCode.SourceUnsupportedFormat)]
    public void A_picture_that_cannot_be_handled_is_refused_by_name(string more, MediaErrorCode code) =>
        Should.Throw<MediaException>(() => Parse(With(Video, more))).Code.ShouldBe(code);

    [Theory]
    [InlineData("", MediaErrorCode.ProbeUnreadable)]
    [InlineData("{", MediaErrorCode.ProbeUnreadable)]
    [InlineData("{}", MediaErrorCode.SourceNotMedia)]
    [InlineData("[]", MediaErrorCode.SourceNotMedia)]
    [InlineData("""{"format":{"format_name":"x"},"streams":7}""", MediaErrorCode.ProbeUnreadable)]
    [InlineData("""{"format":[],"streams":[]}""", MediaErrorCode.ProbeUnreadable)]
    [InlineData("""{"format":{"format_name":"x"},"streams":[1]}""", MediaErrorCode.ProbeUnreadable)]
    public void What_is_no_description_of_streams_ends_in_a_named_error(string json, MediaErrorCode code) =>
        Should.Throw<MediaException>(() => SourceProbe.Parse(json)).Code.ShouldBe(code);

    [Fact]
    public void Too_many_streams_are_refused_by_name() => Should
        .Throw<MediaException>(() => Parse([.. Enumerable.Repeat(Audio, SourceLimits.MaxStreams + 1)]))
        .Code.ShouldBe(MediaErrorCode.SourceTooLarge);

    [Fact]
    public void A_damaged_description_ends_in_a_probe_or_a_named_error()
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "corpus"), "*.json");
        files.ShouldNotBeEmpty();
        var random = new Random(20261122);
        foreach (var text in files.Select(File.ReadAllText))
        {
            for (var round = 0; round < 300; round++)
            {
                var damaged = text.ToCharArray().ToList();
                for (var i = random.Next(4); i >= 0; i--)
                {
                    var at = random.Next(damaged.Count);
                    if (random.Next(2) == 0)
                    {
                        damaged[at] = "0123456789-\"{}[]:,ean\0"[random.Next(22)];
                    }
                    else
                    {
                        damaged.RemoveRange(at, Math.Min(random.Next(1, 40), damaged.Count - at));
                    }
                }
                try
                {
                    SourceProbe.Parse(new string([.. damaged])).FormatName.ShouldNotBeNull();
                }
                catch (MediaException)
                {
                }
            }
        }
    }

    private static SourceProbe Parse(params string[] streams) => SourceProbe.Parse(
        $$"""
        {"streams":[{{string.Join(',', streams)}}],
         "format":{"format_name":"mov,mp4","size":"123","duration":"20.5"} }
        """);

    private static string With(string stream, string more)
    {
        var merged = JsonNode.Parse(stream)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(more)!.AsObject())
        {
            merged[name] = value?.DeepClone();
        }
        return merged.ToJsonString();
    }
}
