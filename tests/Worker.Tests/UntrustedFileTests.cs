using System.Text;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Tests;

/// <summary>A shell in ffmpeg's place, taken over by its source, leaves traps for the worker outside.</summary>
public sealed class UntrustedFileTests : IDisposable
{
    private readonly WorkerFixture worker = new();

    [Theory]
    [InlineData("ln -s SECRET /scratch/poster.jpg")]
    [InlineData("ln -s /dev/zero /scratch/poster.jpg")]
    [InlineData("mkfifo /scratch/poster.jpg")]
    [InlineData("mkdir /scratch/poster.jpg")]
    public async Task A_link_a_pipe_or_a_folder_for_a_picture_is_refused_by_name(string trap)
    {
        var secret = worker.NewFile("secret", [0xFF, 0xD8, 0xFF, 0xE0]);
        using var scratch = await TrapAsync(trap.Replace("SECRET", secret, StringComparison.Ordinal));

        var refused = await Should.ThrowAsync<AttemptFailedException>(
            Jpeg.ReadAsync(
                scratch.Output("poster.jpg"), PosterAttempt.PosterLimitBytes, "", WorkerFixture.Cancel));

        refused.Code.ShouldBe(FailureCodes.ToolOutputNotAFile);
        refused.Permanent.ShouldBeTrue();
    }

    [Theory]
    [InlineData("ln -s SECRET /scratch/v.mp4")]
    [InlineData("mkfifo /scratch/v.mp4")]
    public async Task A_link_or_a_pipe_for_a_rendition_is_refused_by_name(string trap)
    {
        var secret = worker.NewFile("secret", "secret"u8.ToArray());
        using var scratch = await TrapAsync(trap.Replace("SECRET", secret, StringComparison.Ordinal));
        var writer = await worker.Store.CreateAsync("media/a/v.mp4", WorkerFixture.Cancel);
        // Refused before the first byte: nothing is ever assembled.
        await using var sink = new RenditionSink("v", scratch.Output("v.mp4"), null!, writer, seconds: 1);

        var refused = await Should.ThrowAsync<AttemptFailedException>(sink.DrainAsync(WorkerFixture.Cancel));

        refused.Code.ShouldBe(FailureCodes.ToolOutputNotAFile);
    }

    /// <summary>To root no folder is closed: there it shows only that links are not followed.</summary>
    [Fact]
    public async Task Folders_that_a_tool_has_closed_go_and_what_its_links_lead_to_stays_as_it_is()
    {
        var elsewhere = worker.NewFolder("elsewhere");
        await File.WriteAllTextAsync(Path.Combine(elsewhere, "kept"), "kept");
        File.SetUnixFileMode(elsewhere, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var scratch = await TrapAsync(
            "mkdir -p /scratch/a/b/c && touch /scratch/a/b/c/file && chmod 000 /scratch/a/b/c /scratch/a/b /scratch/a; "
            + $"ln -s {elsewhere} /scratch/link; ln -s /nowhere /scratch/broken; true");

        scratch.Dispose();

        Directory.EnumerateFileSystemEntries(worker.Scratch.Folder).ShouldBeEmpty();
        (await File.ReadAllTextAsync(Path.Combine(elsewhere, "kept"))).ShouldBe("kept");
        File.GetUnixFileMode(elsewhere).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.SetUnixFileMode(elsewhere, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task A_tool_cannot_lead_what_the_worker_writes_elsewhere()
    {
        var victim = worker.NewFile("victim", "as it was"u8.ToArray());
        using var scratch = await TrapAsync($"ln -s {victim} /scratch/table; ln -s {victim} /scratch/../table; true");

        await worker.Tools.RunAsync(
            new ToolCommand { Program = "bash", Arguments = _ => ["-c", "echo a table"] },
            ToolOutput.ToFile(scratch.OwnFile("table"), 1024), WorkerFixture.Cancel);

        (await File.ReadAllTextAsync(victim)).ShouldBe("as it was");
        (await File.ReadAllTextAsync(scratch.OwnFile("table"))).ShouldBe("a table\n");
    }

    [Fact]
    public async Task A_tool_that_only_reads_sees_no_folder_of_this_machine_that_it_could_write()
    {
        var text = new StringBuilder();
        await worker.Tools.RunAsync(
            new ToolCommand { Program = "bash", Arguments = _ => ["-c", "cd / && echo *"] },
            ToolOutput.Capture(text, 1024), WorkerFixture.Cancel);
        text.ToString().Trim().Split(' ').ShouldNotContain("scratch");
    }

    [Theory]
    [InlineData("text", FailureCodes.OutputMismatch)]
    [InlineData("nothing", FailureCodes.OutputMismatch)]
    [InlineData("too much", FailureCodes.ToolOutputTooLarge)]
    public async Task What_is_no_picture_of_a_reasonable_size_is_not_published(string what, string code)
    {
        var path = worker.NewFile("poster.jpg", what == "text" ? "text"u8.ToArray() : []);
        if (what == "too much")
        {
            await using var picture = File.OpenWrite(path);
            picture.SetLength(PosterAttempt.PosterLimitBytes + 1L);
        }

        (await Should.ThrowAsync<AttemptFailedException>(
            Jpeg.ReadAsync(path, PosterAttempt.PosterLimitBytes, "", WorkerFixture.Cancel))).Code.ShouldBe(code);
    }

    public void Dispose() => worker.Dispose();

    private async Task<AttemptScratch> TrapAsync(string script)
    {
        var scratch = worker.Scratch.Open(new AttemptKey("job", "task", 1));
        await worker.Tools.RunAsync(
            new ToolCommand
            {
                Program = "bash", Arguments = _ => ["-c", script], OutputFolder = scratch.OutputFolder,
            },
            ToolOutput.Ignore, WorkerFixture.Cancel);
        return scratch;
    }
}
