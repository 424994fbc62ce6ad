using System.Text;
using Hexcast.Contracts.V1;
using Hexcast.Media.Planning;
using Hexcast.Media.Subtitles;
using Hexcast.Worker.Attempts;
using StoryboardIndex = Hexcast.Media.Manifests.StoryboardIndex;

namespace Hexcast.Worker.Tests;

/// <summary>What a viewer can do without and is glad to have: storyboards and subtitles, by real tools.</summary>
public sealed class ExtrasTests
{
    private const string Text = """
        1
        00:00:01,000 --> 00:00:03,000
        Hello <b>bold</b> <script>alert(1)</script> & so on

        2
        00:00:04,500 --> 00:01:06,000
        {\\an8}Over the end

        """;

    [Theory]
    [InlineData("WithSound", 5, 160, 120)]
    [InlineData("Upright", 3, 160, 284)]
    [InlineData("OddSize", 3, 160, 120)]
    [InlineData("VariableRate", 5, 160, 120)]
    [InlineData("WithoutTimes", 3, 160, 120)]
    [InlineData("SingleFrame", 1, 160, 120)]
    public async Task Every_source_has_a_storyboard(string name, int pictures, int width, int height)
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync((string)typeof(Clips).GetProperty(name)!.GetValue(null)!);
        var (plan, chunks) = await EncodeAsync(worker);

        var commit = await worker.CommitAsync(WorkerFixture.Storyboard(plan, chunks));

        var index = StoryboardIndex.FromJson(
            await worker.Bench.Objects.ReadAsync(commit.Result, StoryboardIndex.MaxJsonBytes, WorkerFixture.Cancel));
        index.StartSeconds.Count.ShouldBe(pictures);
        (index.TileWidth, index.TileHeight).ShouldBe((width, height));
        var sheet = Sheet(worker, commit.Result, index);
        var (sheetWidth, sheetHeight) = await SizeAsync(sheet);
        (sheetWidth, sheetHeight).ShouldBe((index.Columns * width, index.Rows * height));
        Directory.EnumerateFileSystemEntries(worker.Scratch.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_storyboard_shows_each_moment_where_it_says()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Colours);
        var (plan, chunks) = await EncodeAsync(worker);

        var commit = await worker.CommitAsync(WorkerFixture.Storyboard(plan, chunks));

        var index = StoryboardIndex.FromJson(
            await worker.Bench.Objects.ReadAsync(commit.Result, StoryboardIndex.MaxJsonBytes, WorkerFixture.Cancel));
        // Red for 4 s, then green, then blue; a picture every 2 s.
        index.StartSeconds.ShouldBe([0, 2, 4, 6, 8, 10]);
        var colours = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            colours.Add(await StrongestAsync(Sheet(worker, commit.Result, index), (i * 160) + 80, 45));
        }

        colours.ShouldBe([0, 0, 1, 1, 2, 2]);
    }

    [Fact]
    public async Task A_storyboard_that_no_tool_can_make_costs_no_video()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Silent);
        var (plan, chunks) = await EncodeAsync(worker);
        // Another codec's header: the index names bytes of the right length, and no tool makes a picture of them.
        var index = await worker.IndexAsync(chunks[0]);
        foreach (var rendition in index.Renditions)
        {
            var path = worker.Store.LocalPath(chunks[0].Key.Replace("index.json", rendition.ObjectName))!;
            await File.WriteAllBytesAsync(path, new byte[rendition.ObjectLength], WorkerFixture.Cancel);
        }

        var commit = await worker.CommitAsync(WorkerFixture.Storyboard(plan, chunks));

        commit.Result.ShouldBeNull();
        (await worker.KeysAsync()).ShouldNotContain(k => k.Contains("storyboard", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("mp4")]
    [InlineData("mkv")]
    public async Task Text_tracks_become_clean_WebVtt_on_the_versions_timeline(string container)
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Subtitled(container, Text));
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;

        var commit = await worker.CommitAsync(WorkerFixture.Subtitles(plan));

        var index = await SubtitlesAsync(worker, commit.Result);
        index.Tracks.Select(t => (t.Track.Id, t.Track.Language, t.Track.Label)).ShouldBe(
            [("sub-de", "de", "German"), ("sub-en", "en", "Signs"), ("sub-en-2", "en", "English")]);
        index.Tracks.Select(t => t.Track.IsForced).ShouldBe([false, true, false]);
        foreach (var track in index.Tracks)
        {
            Read(worker, commit.Result, track).ShouldBe("""
                WEBVTT

                00:00:01.000 --> 00:00:03.000
                Hello <b>bold</b> alert(1) &amp; so on

                00:00:04.500 --> 00:00:06.000
                Over the end

                """.ReplaceLineEndings("\n"));
        }
    }

    [Fact]
    public async Task Times_count_from_the_versions_beginning_whatever_the_sources_are()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Subtitled("mkv", Text, "-output_ts_offset 90"));
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        var commit = await worker.CommitAsync(WorkerFixture.Subtitles(plan));
        var index = await SubtitlesAsync(worker, commit.Result);
        Read(worker, commit.Result, index.Tracks[0]).ShouldContain("00:00:01.000 --> 00:00:03.000");
    }

    [Fact]
    public async Task A_track_without_text_and_one_of_pictures_are_left_out_with_a_reason()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Subtitled("mkv", "1\n00:05:00,000 --> 00:05:01,000\nBehind the end\n"));
        var probed = await worker.CommitAsync(WorkerFixture.Probe());
        probed.Plan.SubtitleStreams.ShouldBe(3);
        var picture = await worker.PlanAsync(probed.Result) with
        {
            SkippedSubtitles = [new("hdmv_pgs_subtitle", "fr", "These subtitles are pictures.")],
        };
        var plan = await worker.Bench.Objects.WriteAsync("media/m/v/probe-2/plan.json", picture.ToJson(), default);

        var commit = await worker.CommitAsync(WorkerFixture.Subtitles(plan));

        var index = await SubtitlesAsync(worker, commit.Result);
        index.Tracks.ShouldBeEmpty();
        index.Skipped.Select(s => s.Language).ShouldBe(["fr", "de", "en", "en"]);
        index.Skipped[1].Reason.ShouldBe("There is no text in these subtitles.");
    }

    [Fact]
    public async Task Subtitles_without_end_are_left_out_and_the_video_goes_on()
    {
        using var worker = new WorkerFixture();
        var endless = new StringBuilder();
        for (var i = 0; i < SubtitleText.MaxCues + 10; i++)
        {
            endless.Append($"{i}\n00:00:0{i % 5}.{i % 1000:000} --> 00:00:05.500\n{i}\n\n");
        }

        await worker.AddSourceAsync(Clips.Subtitled("mkv", endless.Replace('.', ',').ToString()));
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        var index = await SubtitlesAsync(worker, (await worker.CommitAsync(WorkerFixture.Subtitles(plan))).Result);
        index.Tracks.ShouldBeEmpty();
        index.Skipped.ShouldAllBe(s => s.Reason.Contains("20000"));
    }

    private static async Task<(ObjectRef Plan, List<ObjectRef> Chunks)> EncodeAsync(WorkerFixture worker)
    {
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        List<ObjectRef> chunks = [];
        foreach (var chunk in (await worker.PlanAsync(plan)).Chunks)
        {
            chunks.Add((await worker.CommitAsync(WorkerFixture.Chunk(plan, chunk.Index))).Result);
        }

        return (plan, chunks);
    }

    private static async Task<SubtitleIndex> SubtitlesAsync(WorkerFixture worker, ObjectRef named) =>
        SubtitleIndex.FromJson(
            await worker.Bench.Objects.ReadAsync(named, SubtitleIndex.MaxJsonBytes, WorkerFixture.Cancel));

    private static string Read(WorkerFixture worker, ObjectRef index, StoredSubtitle track) =>
        File.ReadAllText(worker.Store.LocalPath(Beside(index, track.File.Name))!);

    private static string Sheet(WorkerFixture worker, ObjectRef named, StoryboardIndex index) =>
        worker.Store.LocalPath(Beside(named, index.Sheets.Single().Name))!;

    private static string Beside(ObjectRef named, string name) => named.Key[..(named.Key.LastIndexOf('/') + 1)] + name;

    private static async Task<(int Width, int Height)> SizeAsync(string picture)
    {
        var size = Encoding.ASCII.GetString(await Clips.RunAsync(
            "ffprobe", $"-v error -show_entries stream=width,height -of csv=p=0 {picture}")).Split(',');
        return (int.Parse(size[0]), int.Parse(size[1]));
    }

    /// <summary>Which of red, green and blue a pixel has most of.</summary>
    private static async Task<int> StrongestAsync(string picture, int x, int y)
    {
        var pixel = await Clips.RunAsync(
            "ffmpeg", $"-v error -i {picture} -vf format=rgb24,crop=1:1:{x}:{y} -f rawvideo -pix_fmt rgb24 -");
        return Array.IndexOf(pixel, pixel.Max());
    }
}
