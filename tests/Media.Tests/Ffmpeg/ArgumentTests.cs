using Hexcast.Media.Ffmpeg;
using Hexcast.Media.Planning;
using Hexcast.Media.Presets;
using Hexcast.Media.Probing;
using Hexcast.Media.Tests.Support;

namespace Hexcast.Media.Tests.Ffmpeg;

/// <summary>Whole command lines, one argument a line, in golden/.</summary>
public sealed class ArgumentTests
{
    private static readonly Preset TwoRungs = Sources.Ladder with
    {
        Video = [Sources.Ladder.Video[1], Sources.Ladder.Video[4]],
    };

    private readonly TranscodePlan plan = TranscodePlan.Build(
        Sources.Probe(1920, 1080, audioStart: 0.1), Sources.Frames(25 * 21, keyEvery: 60, first: 1281), TwoRungs);

    [Fact]
    public void The_first_chunk_starts_at_the_beginning() =>
        ShouldMatch(EncodeArguments.Chunk(plan, plan.Chunks[0], "/in/src", Output, seek: true, threads: 2),
            "chunk-first");

    [Fact]
    public void A_later_chunk_seeks() =>
        ShouldMatch(EncodeArguments.Chunk(plan, plan.Chunks[1], "/in/src", Output, seek: true, threads: 2),
            "chunk-seek");

    [Fact]
    public void Without_seeking_a_later_chunk_differs_only_in_that()
    {
        var with = EncodeArguments.Chunk(plan, plan.Chunks[1], "/in/src", Output, seek: true, threads: 2);
        var without = EncodeArguments.Chunk(plan, plan.Chunks[1], "/in/src", Output, seek: false, threads: 2);

        with.Except(without).ShouldBe(["-seek_timestamp", "-noaccurate_seek", "-ss", "2.500078"]);
        without.Except(with).ShouldBeEmpty();
    }

    [Fact]
    public void A_container_without_an_index_is_sought_a_second_earlier()
    {
        var transport = plan with { SourceFormat = "mpegts" };
        var arguments = EncodeArguments.Chunk(transport, plan.Chunks[1], "/in/src", Output, seek: true, threads: 2)
            .ToList();
        arguments[arguments.IndexOf("-ss") + 1].ShouldBe("1.500078");
    }

    [Fact]
    public void Interlaced_video_becomes_a_frame_a_frame()
    {
        var interlaced = plan with { Interlaced = true };
        ShouldMatch(
            EncodeArguments.Chunk(interlaced, plan.Chunks[^1], "/in/src", Output, seek: true, threads: 1),
            "chunk-interlaced-last");
    }

    [Fact]
    public void Sound() => ShouldMatch(EncodeArguments.Audio(plan, "/in/src", "/out/a.mp4"), "audio");

    [Fact]
    public void A_plan_without_sound_has_no_sound_to_encode() => Should.Throw<InvalidOperationException>(
        () => EncodeArguments.Audio(plan with { Audio = null }, "/in/src", "/out/a.mp4"));

    [Fact]
    public void Poster() => ShouldMatch(ImageArguments.Poster(plan, "/in/src", "/out/poster.jpg"), "poster");

    [Fact]
    public void Storyboard() => ShouldMatch(
        ImageArguments.Storyboard(StoryboardPlan.Of(plan), [0, 1, 4, 6], "/in/keyframes", "/out/sheet-%d.jpg"),
        "storyboard");

    [Fact]
    public void Subtitles() => ShouldMatch(
        SubtitleArguments.Extract(Texts, "/in/src", id => $"/out/{id}.vtt"), "subtitles");

    private static IReadOnlyList<SubtitlePlan> Texts { get; } = SubtitlePlans.Of(
    [
        new SubtitleStream { Index = 2, Codec = "mov_text", Language = "eng" },
        new SubtitleStream { Index = 5, Codec = "ass", Language = "ger" },
    ]).Tracks;

    [Fact]
    public void Probes()
    {
        ShouldMatch(ProbeArguments.Streams("/in/src"), "probe-streams");
        ShouldMatch(ProbeArguments.VideoPackets("/in/src", 3), "probe-packets");
        ShouldMatch(ProbeArguments.VideoFrames("/in/src", Sources.Probe(64, 64).Video!), "probe-frames");
    }

    [Fact]
    public void No_input_may_be_read_by_a_demuxer_that_opens_other_files()
    {
        string[] referring = ["hls", "concat", "dash", "image2", "lavfi", "sdp", "rtsp", "rtp", "imf", "vapoursynth"];
        ProbeArguments.Demuxers.Split(',').Intersect(referring, StringComparer.Ordinal).ShouldBeEmpty();
        IReadOnlyList<string>[] all =
        [
            ProbeArguments.Streams("/in/src"), ProbeArguments.VideoPackets("/in/src", 0),
            ProbeArguments.VideoFrames("/in/src", Sources.Probe(64, 64).Video!),
            EncodeArguments.Chunk(plan, plan.Chunks[1], "/in/src", Output, seek: true, threads: 1),
            EncodeArguments.Audio(plan, "/in/src", "/o"), ImageArguments.Poster(plan, "/in/src", "/o"),
            ImageArguments.Storyboard(StoryboardPlan.Of(plan), [0], "/in/src", "/o"),
            SubtitleArguments.Extract(Texts, "/in/src", id => id),
        ];
        foreach (var arguments in all.Select(a => a.ToList()))
        {
            arguments.Count(a => a == "-i").ShouldBe(1);
            arguments.IndexOf("-format_whitelist").ShouldBeInRange(0, arguments.IndexOf("-i"));
            arguments[arguments.IndexOf("-protocol_whitelist") + 1].ShouldBe("file");
            arguments[arguments.IndexOf("-i") + 1].ShouldBe("file:/in/src");
        }
    }

    private static string Output(string id) => $"/out/{id}.mp4";

    private static void ShouldMatch(IReadOnlyList<string> arguments, string name) =>
        Golden.ShouldMatch(string.Join('\n', arguments) + "\n", name + ".args.txt");
}
