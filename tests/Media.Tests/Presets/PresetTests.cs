using Hexcast.Media.Presets;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Hexcast.Media.Tests.Presets;

public sealed class PresetTests
{
    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "presets"))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_preset_that_is_shipped_is_valid_and_named_as_its_file(string path)
    {
        var yaml = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build();
        var preset = yaml.Deserialize<Preset>(File.ReadAllText(path));

        preset.Validate().ShouldBeEmpty();
        preset.Name.ShouldBe(Path.GetFileNameWithoutExtension(path));
        preset.Gop.ShouldBe(TimeSpan.FromSeconds(2));
        preset.Segment.ShouldBe(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void Each_problem_of_a_preset_is_named_by_its_key()
    {
        var preset = new Preset
        {
            Name = "Bad Name",
            Video = [new VideoRung { Height = 721, MaxBitrateKbps = 1, Crf = 99, X264Preset = "warp", Profile = "x" }],
            Audio = new AudioSettings { BitrateKbps = 1, SampleRateHz = 1, Channels = 9 },
            Segment = TimeSpan.FromSeconds(3),
            FirstSegment = TimeSpan.FromSeconds(1),
        };

        string[] keys =
        [
            "name", "video[721].height", "video[721].max_bitrate_kbps", "video[721].crf", "video[721].x264_preset",
            "video[721].profile", "audio.bitrate_kbps", "audio.sample_rate_hz", "audio.channels", "segment",
            "first_segment",
        ];
        preset.Validate().Select(p => p[..p.IndexOf(':')]).ShouldBe(keys);
        new Preset { Name = "empty" }.Validate().ShouldBe(["video: give 1 to 16 rungs"]);
    }
}
