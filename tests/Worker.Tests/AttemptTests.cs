using System.Diagnostics;
using Hexcast.Contracts.V1;
using Hexcast.Media.IsoBmff;
using Hexcast.Worker.Attempts;

namespace Hexcast.Worker.Tests;

/// <summary>Whole transcodes, attempt by attempt, as the master would order them.</summary>
public sealed class AttemptTests
{
    public static TheoryData<string> Sources =>
        ["WithSound", "Silent", "Upright", "OddSize", "VariableRate", "TransportStream", "WithoutTimes"];

    [Fact]
    public async Task A_probe_goes_by_the_preset_that_its_order_carries_and_needs_none_of_its_own()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Silent);
        var task = WorkerFixture.Probe();
        task.PresetName = "only_elsewhere";
        task.Probe.Preset = "name: only_elsewhere\nvideo: [{height: 144, max_bitrate_kbps: 300, profile: main}]\n";

        var plan = await worker.PlanAsync((await worker.CommitAsync(task)).Result);

        plan.Video.Single().Height.ShouldBe(144);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task Every_source_becomes_a_version_with_exactly_its_frames(string name)
    {
        using var worker = new WorkerFixture();
        var clip = (string)typeof(Clips).GetProperty(name)!.GetValue(null)!;
        await worker.AddSourceAsync(clip);

        var probed = await worker.CommitAsync(WorkerFixture.Probe());
        var plan = await worker.PlanAsync(probed.Result);
        List<ObjectRef> indexes = [];
        foreach (var chunk in plan.Chunks)
        {
            var commit = await worker.CommitAsync(WorkerFixture.Chunk(probed.Result, chunk.Index));
            commit.MediaSeconds.ShouldBeGreaterThan(0);
            commit.WallSeconds.ShouldBeGreaterThan(0);
            indexes.Add(commit.Result);
        }

        if (plan.Audio is not null)
        {
            indexes.Add((await worker.CommitAsync(WorkerFixture.Audio(probed.Result))).Result);
        }

        var poster = await worker.CommitAsync(WorkerFixture.Poster(probed.Result));
        await worker.CommitAsync(WorkerFixture.Publish(probed.Result, indexes));

        probed.Plan.ChunkSeconds.Count.ShouldBe(plan.Chunks.Count);
        probed.Plan.ChunkSeconds.Sum().ShouldBe(plan.DurationSeconds, 0.1);
        probed.Plan.Renditions.Count.ShouldBe(plan.Video.Count + (plan.Audio is null ? 0 : 1));
        (await File.ReadAllBytesAsync(worker.Store.LocalPath(poster.Result.Key)!, WorkerFixture.Cancel))
            .AsSpan(0, 2).ToArray().ShouldBe([0xFF, 0xD8]);
        var decoded = await DecodeAsync(worker, plan.Video[0].Id, indexes);
        decoded.ShouldBe(plan.TotalFrames);
        decoded.ShouldBe(await CountFramesAsync(clip));
        Directory.EnumerateFileSystemEntries(worker.Scratch.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_attempts_at_a_chunk_make_the_same_header()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.WithSound);
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;

        var first = await worker.IndexAsync((await worker.CommitAsync(WorkerFixture.Chunk(plan, 0))).Result);
        var again = await worker.CommitAsync(WorkerFixture.Chunk(plan, 1, attempt: 2));
        var second = await worker.IndexAsync(again.Result);

        first.Renditions[0].InitSha256.ShouldBe(second.Renditions[0].InitSha256);
        second.Attempt.ShouldBe(2);
        second.Task.ShouldBe("chunk-0001");
    }

    [Fact]
    public async Task Progress_rises_to_the_whole_and_names_a_speed()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.WithSound);
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        List<(double Fraction, double Speed)> told = [];

        await worker.Attempts.RunAsync(
            WorkerFixture.Chunk(plan, 1), (fraction, speed) => told.Add((fraction, speed)), WorkerFixture.Cancel);

        told.ShouldNotBeEmpty();
        told.Select(t => t.Fraction).ShouldBeInOrder();
        told[^1].Fraction.ShouldBe(1, 0.001);
        told[^1].Speed.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_chunk_gets_time_for_what_it_must_skip()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.WithSound);
        var plan = await worker.PlanAsync((await worker.CommitAsync(WorkerFixture.Probe())).Result);
        var last = plan.Chunks[^1];
        var start = plan.Chunks.SkipLast(1).Sum(plan.Seconds);

        ChunkAttempt.ToSkip(plan, plan.Chunks[0], seek: false).ShouldBe(TimeSpan.Zero);
        ChunkAttempt.ToSkip(plan, last, seek: false).TotalSeconds.ShouldBe(start, 0.001);
        ChunkAttempt.ToSkip(plan, last with { SeekPts = last.StartPts }, seek: true).ShouldBe(TimeSpan.Zero);
        ChunkAttempt.ToSkip(plan, last with { SeekPts = null }, seek: true).TotalSeconds.ShouldBe(start, 0.001);
    }

    /// <summary>Joins a rendition's objects as a player would and decodes them; no warning is allowed.</summary>
    private static async Task<int> DecodeAsync(WorkerFixture worker, string rendition, IReadOnlyList<ObjectRef> indexes)
    {
        var joined = Path.Combine(worker.NewFolder("joined"), "whole.mp4");
        await using (var whole = File.Create(joined))
        {
            var first = true;
            foreach (var named in indexes)
            {
                var index = await worker.IndexAsync(named);
                if (index.Renditions.FirstOrDefault(r => r.Id == rendition) is not { } part)
                {
                    continue;
                }

                var folder = named.Key[..(named.Key.LastIndexOf('/') + 1)];
                var bytes = await File.ReadAllBytesAsync(
                    worker.Store.LocalPath(folder + part.ObjectName)!, WorkerFixture.Cancel);
                whole.Write(first ? bytes : bytes.AsSpan(part.InitLength));
                first = false;
            }
        }

        var (frames, warnings) = await FfprobeAsync($"-v warning -count_frames {joined}");
        warnings.ShouldBeEmpty();
        return frames;
    }

    private static async Task<int> CountFramesAsync(string clip) =>
        (await FfprobeAsync($"-v error -count_frames {clip}")).Frames;

    private static async Task<(int Frames, string Warnings)> FfprobeAsync(string arguments)
    {
        var info = new ProcessStartInfo(
            "ffprobe", $"-select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 {arguments}")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var ffprobe = Process.Start(info)!;
        var warnings = ffprobe.StandardError.ReadToEndAsync(WorkerFixture.Cancel);
        var output = await ffprobe.StandardOutput.ReadToEndAsync(WorkerFixture.Cancel);
        return (int.Parse(output.Trim().Split('\n')[0].TrimEnd(',')), await warnings);
    }
}
