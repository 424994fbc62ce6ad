using System.Diagnostics;
using System.Text;
using Hexcast.Contracts.V1;
using Hexcast.Platform.ObjectStore;
using Hexcast.Worker.Attempts;

namespace Hexcast.Worker.Tests;

public sealed class BadSourceTests
{
    private static readonly byte[] CutOff = File.ReadAllBytes(Clips.WithSound)[..50_000];

    public static TheoryData<string, string> Rows => new()
    {
        { "empty", "source_not_media" },
        { "text", "source_not_media" },
        { "noise", "source_not_media" },
        { "cut off before its index", "source_not_media" },
        { "hls playlist", "source_unsupported_format" },
        { "ffconcat script", "source_unsupported_format" },
        { "picture", "source_unsupported_format" },
        { "sound only", "source_no_video" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_bad_source_fails_for_good_with_a_name_and_advice(string what, string code)
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(worker.NewFile("renamed.mp4", Bytes(what)));

        var failure = await worker.FailAsync(WorkerFixture.Probe());

        failure.Code.ShouldBe(code, failure.Message + failure.LogTail);
        failure.Permanent.ShouldBeTrue();
        failure.Message.ShouldContain("pload");
        (await worker.KeysAsync()).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(worker.Scratch.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_unknown_preset_fails_for_good()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Silent);
        var task = WorkerFixture.Probe();
        task.PresetName = "no_such_preset";

        var failure = await worker.FailAsync(task);

        failure.Code.ShouldBe("unknown_preset");
        failure.Permanent.ShouldBeTrue();
    }

    [Fact]
    public async Task A_source_that_is_gone_is_named()
    {
        using var worker = new WorkerFixture();
        (await worker.FailAsync(WorkerFixture.Probe())).Code.ShouldBe(FailureCodes.SourceUnreadable);
    }

    [Fact]
    public async Task Frames_that_cannot_be_decoded_are_counted_out_and_the_rest_is_published()
    {
        using var worker = new WorkerFixture();
        var bytes = await File.ReadAllBytesAsync(Clips.WithSound, WorkerFixture.Cancel);
        // Zeros in the middle of the media data make several pictures undecodable.
        Array.Clear(bytes, bytes.Length / 2, bytes.Length / 20);
        await worker.AddSourceAsync(worker.NewFile("damaged.mp4", bytes));
        var probed = await worker.CommitAsync(WorkerFixture.Probe());
        var plan = await worker.PlanAsync(probed.Result);

        List<ObjectRef> indexes = [];
        foreach (var chunk in plan.Chunks)
        {
            indexes.Add((await worker.CommitAsync(WorkerFixture.Chunk(probed.Result, chunk.Index))).Result);
        }

        indexes.Add((await worker.CommitAsync(WorkerFixture.Audio(probed.Result))).Result);
        await worker.CommitAsync(WorkerFixture.Publish(probed.Result, indexes));
        var parts = await Task.WhenAll(indexes.Select(worker.IndexAsync));
        PartsCheck.LostFrames(plan, parts).ShouldBeInRange(1, plan.TotalFrames / 4);
    }

    [Fact]
    public async Task A_full_scratch_disk_is_named_and_another_attempt_may_do()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Mounting a small disk takes root.");
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.WithSound);
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        Run("mount", "-t", "tmpfs", "-o", "size=64k", "none", worker.Scratch.Folder);
        try
        {
            var failure = await worker.FailAsync(WorkerFixture.Chunk(plan, 1));
            failure.Code.ShouldBe(FailureCodes.ScratchFull, failure.Message + failure.LogTail);
            failure.Permanent.ShouldBeFalse();
            Directory.EnumerateFileSystemEntries(worker.Scratch.Folder).ShouldBeEmpty();
        }
        finally
        {
            Run("umount", worker.Scratch.Folder);
        }

        (await worker.KeysAsync()).ShouldBe([plan.Key]);
        await worker.CommitAsync(WorkerFixture.Chunk(plan, 1, attempt: 2));
    }

    [Theory]
    [InlineData("longer")]
    [InlineData("flipped")]
    [InlineData("gone")]
    public async Task Publish_refuses_an_object_that_is_not_what_its_index_says(string damage)
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Silent);
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        var index = (await worker.CommitAsync(WorkerFixture.Chunk(plan, 0))).Result;
        var rest = (await worker.CommitAsync(WorkerFixture.Chunk(plan, 1))).Result;
        var key = (await worker.KeysAsync()).First(k => k.EndsWith(".mp4", StringComparison.Ordinal));
        var path = worker.Store.LocalPath(key)!;
        var bytes = await File.ReadAllBytesAsync(path, WorkerFixture.Cancel);
        bytes[^1] ^= 1;
        File.Delete(path);
        if (damage != "gone")
        {
            await File.WriteAllBytesAsync(path, damage == "longer" ? [.. bytes, 0] : bytes, WorkerFixture.Cancel);
        }

        var failure = await worker.FailAsync(WorkerFixture.Publish(plan, [index, rest]));

        failure.Code.ShouldBe(damage == "gone" ? FailureCodes.ObjectMissing : FailureCodes.ObjectCorrupt);
    }

    [Fact]
    public async Task Publish_refuses_a_version_with_a_hole_and_one_with_a_part_twice()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Silent);
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        var first = (await worker.CommitAsync(WorkerFixture.Chunk(plan, 0))).Result;
        var rest = (await worker.CommitAsync(WorkerFixture.Chunk(plan, 1))).Result;

        (await worker.FailAsync(WorkerFixture.Publish(plan, [first]))).Code.ShouldBe(FailureCodes.PartsInconsistent);
        (await worker.FailAsync(WorkerFixture.Publish(plan, [first, rest, rest]))).Code
            .ShouldBe(FailureCodes.PartsInconsistent);
        await worker.CommitAsync(WorkerFixture.Publish(plan, [rest, first]));
    }

    [Fact]
    public async Task A_plan_that_was_tampered_with_is_refused()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Silent);
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        await File.AppendAllTextAsync(worker.Store.LocalPath(plan.Key)!, " ", WorkerFixture.Cancel);

        (await worker.FailAsync(WorkerFixture.Chunk(plan, 0))).Code.ShouldBe(FailureCodes.ObjectCorrupt);
    }

    [Fact]
    public async Task Names_from_the_network_that_are_paths_are_refused()
    {
        using var worker = new WorkerFixture();
        var task = WorkerFixture.Probe();
        task.Attempt.TaskId = "../../etc";
        (await worker.FailAsync(task)).Code.ShouldBe("invalid_argument");
    }

    [Fact]
    public async Task A_cancelled_encode_leaves_no_process_no_file_and_no_object()
    {
        using var worker = new WorkerFixture();
        await worker.AddSourceAsync(Clips.Endless);
        var plan = (await worker.CommitAsync(WorkerFixture.Probe())).Result;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(WorkerFixture.Cancel);

        var outcome = await worker.Attempts.RunAsync(
            WorkerFixture.Chunk(plan, 1), (_, _) => cancel.Cancel(), cancel.Token);

        outcome.Failure!.Code.ShouldBe(FailureCodes.Cancelled);
        (await worker.KeysAsync()).ShouldBe([plan.Key]);
        Directory.EnumerateFileSystemEntries(worker.Scratch.Folder).ShouldBeEmpty();
        Processes.With(worker.Store.LocalPath(ObjectKey.Source(WorkerFixture.MediaId))!).ShouldBeEmpty();
    }

    private static byte[] Bytes(string what) => what switch
    {
        "empty" => [],
        "text" => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("This is no video.\n", 500))),
        "noise" => Noise(),
        "cut off before its index" => CutOff,
        "hls playlist" => Encoding.UTF8.GetBytes(
            $"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{Clips.Silent}\n#EXT-X-ENDLIST\n"),
        "ffconcat script" => Encoding.UTF8.GetBytes($"ffconcat version 1.0\nfile '{Clips.Silent}'\n"),
        "picture" => File.ReadAllBytes(Clips.Make("picture.png", "-f lavfi -i testsrc2=size=64x64 -frames:v 1")),
        "sound only" => File.ReadAllBytes(Clips.Make("sound.m4a", "-f lavfi -i sine -t 2 -c:a aac")),
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, message: null),
    };

    private static byte[] Noise()
    {
        var noise = new byte[100_000];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, (IEnumerable<string>)arguments);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
    }
}
