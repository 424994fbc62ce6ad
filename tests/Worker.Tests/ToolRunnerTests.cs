using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Hexcast.Worker.Attempts;
using Hexcast.Worker.Tools;

namespace Hexcast.Worker.Tests;

/// <summary>Shells inside the very walls that ffmpeg gets.</summary>
public sealed class ToolRunnerTests
{
    private const int OutputLimitBytes = 64 * 1024;

    public static TheoryData<string> Modes => ["Required", "Off"];

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Tools_run_at_nice_19(string mode)
    {
        using var worker = Fixture(mode);
        (await ShellAsync(worker, "nice")).ShouldBe("19");
    }

    // Otherwise Ctrl-C in the node's terminal would reach the encoders, which fail of it.
    [Fact]
    public async Task Tools_do_not_share_the_nodes_session()
    {
        using var worker = Fixture("Off");
        var own = (await File.ReadAllTextAsync("/proc/self/stat", WorkerFixture.Cancel)).Split(' ')[5];

        var session = await ShellAsync(worker, "read -a stat < /proc/self/stat; echo ${stat[5]}");

        session.ShouldNotBe(own);
        int.Parse(session, CultureInfo.InvariantCulture).ShouldBeGreaterThan(0);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Tools_inherit_no_environment(string mode)
    {
        Environment.SetEnvironmentVariable("HEXCAST_TEST_SECRET", "secret");
        using var worker = Fixture(mode);
        (await ShellAsync(worker, "env")).ShouldNotContain("HEXCAST_TEST_SECRET");
    }

    [Fact]
    public async Task The_sandbox_has_no_network()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var connect = $"echo hello > /dev/tcp/127.0.0.1/{((IPEndPoint)listener.LocalEndpoint).Port}";

        using var open = Fixture("Off");
        await ShellAsync(open, connect);
        listener.Pending().ShouldBeTrue();
        listener.AcceptTcpClient().Dispose();

        using var walled = Fixture("Required");
        (await FailAsync(walled, connect)).Code.ShouldBe(FailureCodes.ToolFailed);
        listener.Pending().ShouldBeFalse();
    }

    [Fact]
    public async Task The_sandbox_shows_the_source_and_the_system_and_nothing_else()
    {
        using var worker = Fixture("Required");
        var secret = worker.NewFile("secret", "secret"u8.ToArray());
        var source = worker.NewFile("source", "the source"u8.ToArray());

        (await ShellAsync(worker, "cat /source", source)).ShouldBe("the source");
        (await FailAsync(worker, $"cat {secret}")).LogTail.ShouldContain("No such file");
        (await FailAsync(worker, "cat /etc/passwd")).LogTail.ShouldContain("No such file");
        (await ShellAsync(worker, "cd / && echo *")).Split(' ')
            .Except(["bin", "dev", "etc", "lib", "lib64", "scratch", "source", "tmp", "usr"]).ShouldBeEmpty();
        (await ShellAsync(worker, "ls -A /tmp")).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task What_a_tool_says_of_the_source_names_no_path(string mode)
    {
        using var worker = Fixture(mode);
        var source = worker.NewFile("source", "the source"u8.ToArray());

        var seen = mode == "Off" ? source : "/source";

        var failure = await FailAsync(worker, $"echo file:{seen}: bad >&2; exit 1", source);

        failure.LogTail.ShouldBe("source: bad\n");
        failure.Message.ShouldEndWith("source: bad");
    }

    [Fact]
    public async Task The_sandbox_lets_a_tool_write_its_scratch_folder_only()
    {
        using var worker = Fixture("Required");
        var source = worker.NewFile("source", "the source"u8.ToArray());

        await ShellAsync(worker, "echo made > /scratch/file", source);
        File.ReadAllText(Path.Combine(worker.NewFolder("run"), "file")).ShouldBe("made\n");
        (await FailAsync(worker, "echo gone > /source", source)).LogTail.ShouldContain("Read-only");
        (await FailAsync(worker, "echo gone > /usr/bin/x")).LogTail.ShouldContain("Read-only");
    }

    [Fact]
    public async Task The_sandbox_shows_no_other_process()
    {
        using var worker = Fixture("Required");
        (await FailAsync(worker, $"kill -0 {Environment.ProcessId}")).Code.ShouldBe(FailureCodes.ToolFailed);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_cancelled_tool_dies_with_all_its_children(string mode)
    {
        using var worker = Fixture(mode);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(WorkerFixture.Cancel);
        var marker = Marker();
        var run = RunAsync(worker, $"sleep {marker} & sleep {marker}; true", ToolOutput.Ignore, cancel: cancel.Token);
        await Wait.UntilAsync(() => Processes.With(marker).Any(p => p.StartsWith("sleep", StringComparison.Ordinal)));

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(run);
        await Wait.UntilAsync(() => !Processes.With(marker).Any());
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_tool_dies_with_the_process_that_started_it(string mode)
    {
        using var worker = Fixture(mode);
        var marker = Marker();
        var (program, arguments) = new Sandbox(worker.Options.Sandbox).CommandLine(new ToolCommand
        {
            Program = "sleep", Arguments = _ => [marker],
        });
        using var parent = System.Diagnostics.Process.Start(
            "sh", (IEnumerable<string>)["-c", "\"$@\" & wait", "sh", program, .. arguments]);
        await Wait.UntilAsync(() => Processes.With(marker).Any(p => p.StartsWith("sleep", StringComparison.Ordinal)));

        // As kill -9 and a crash do: the parent gets no chance to clean up.
        parent.Kill();

        await Wait.UntilAsync(() => !Processes.With(marker).Any());
    }

    [Fact]
    public async Task A_tool_that_makes_no_headway_is_killed_and_named()
    {
        // Encoders yield to everything else: on a busy machine it takes a while until one says a word.
        using var worker = new WorkerFixture(new WorkerOptions { StallLimit = TimeSpan.FromSeconds(5) });
        var marker = Marker();
        var failure = await Should.ThrowAsync<AttemptFailedException>(
            RunAsync(worker, $"echo last words >&2; sleep {marker}", ToolOutput.Ignore));
        failure.Code.ShouldBe(FailureCodes.ToolStalled);
        failure.LogTail.ShouldContain("last words");
        Processes.With(marker).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_tool_that_could_not_write_its_last_bytes_has_failed_whatever_it_ends_with()
    {
        using var worker = new WorkerFixture(new WorkerOptions());
        var failure = await Should.ThrowAsync<AttemptFailedException>(RunAsync(
            worker, "echo 'Error writing trailer of out.mp4: No space left on device' >&2; exit 0",
            ToolOutput.Ignore));
        failure.Code.ShouldBe(FailureCodes.ScratchFull);
    }

    [Fact]
    public async Task Progress_that_repeats_itself_is_no_headway()
    {
        using var worker = new WorkerFixture(new WorkerOptions { StallLimit = TimeSpan.FromSeconds(1) });
        var failure = await Should.ThrowAsync<AttemptFailedException>(RunAsync(
            worker, "while true; do echo frame=1; echo progress=continue; sleep 0.05; done",
            ToolOutput.Progress(_ => { })));
        failure.Code.ShouldBe(FailureCodes.ToolStalled);
    }

    [Theory]
    [InlineData("sleep 3; echo frame=1")]
    // What ffmpeg 5.1 prints before its first frame is no headway, which would end the head start.
    [InlineData("echo out_time_us=-9223372036854775807; echo progress=continue; sleep 3; echo frame=1")]
    public async Task A_tool_that_has_to_skip_a_part_may_be_silent_longer_at_first(string script)
    {
        using var worker = new WorkerFixture(new WorkerOptions { StallLimit = TimeSpan.FromSeconds(1) });
        await RunAsync(worker, script, ToolOutput.Progress(_ => { }), headStart: TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task After_its_first_headway_a_tool_has_the_stall_limit_only()
    {
        using var worker = new WorkerFixture(new WorkerOptions { StallLimit = TimeSpan.FromSeconds(1) });
        var failure = await Should.ThrowAsync<AttemptFailedException>(RunAsync(
            worker, $"echo frame=1; echo progress=continue; sleep {Marker()}", ToolOutput.Progress(_ => { }),
            headStart: TimeSpan.FromMinutes(5)));
        failure.Code.ShouldBe(FailureCodes.ToolStalled);
    }

    [Fact]
    public async Task A_line_that_never_ends_is_cut_off_by_name()
    {
        using var worker = Fixture("Required");
        var failure = await Should.ThrowAsync<AttemptFailedException>(
            RunAsync(worker, "cat /dev/zero", ToolOutput.Progress(_ => { })));
        failure.Code.ShouldBe(FailureCodes.ToolOutputTooLarge);
    }

    [Fact]
    public async Task Progress_is_read_whole_however_it_is_cut()
    {
        using var worker = Fixture("Required");
        List<EncoderProgress> told = [];
        await RunAsync(
            worker, "echo -n fra; sleep 0.1; echo -e 'me=7\nout_time_us=40'; echo progress=continue; " +
                "for i in $(seq 8 2000); do echo frame=$i; echo progress=continue; done",
            ToolOutput.Progress(told.Add));
        told[0].ShouldBe(new EncoderProgress(7, 40));
        told.Select(t => t.Frame).ShouldBe(Enumerable.Range(7, 1994).Select(i => (long)i));
    }

    [Theory]
    [InlineData("Required", true, "SCHED_OTHER")]
    [InlineData("Required", false, "SCHED_IDLE")]
    [InlineData("Off", true, "SCHED_OTHER")]
    [InlineData("Off", false, "SCHED_IDLE")]
    public async Task Only_a_tool_that_nobody_waits_for_runs_idle_and_all_are_nice(
        string mode, bool urgent, string policy)
    {
        using var worker = Fixture(mode);
        var text = new StringBuilder();
        await RunAsync(
            worker, "chrt -p $$; nice", ToolOutput.Capture(text, OutputLimitBytes), urgent: urgent);
        text.ToString().ShouldContain($"policy: {policy}\n");
        text.ToString().ShouldEndWith("\n19\n");
    }

    [Theory]
    [InlineData("Required", true, 12)]
    [InlineData("Required", false, 19)]
    [InlineData("Off", true, 12)]
    [InlineData("Off", false, 19)]
    public async Task Where_sessions_share_the_processors_that_of_a_tool_is_as_nice_as_the_tool(
        string mode, bool urgent, int nice)
    {
        Assert.SkipUnless(File.Exists("/proc/self/autogroup"), "this kernel does not group by sessions");
        using var worker = Fixture(mode);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(WorkerFixture.Cancel);
        var marker = Marker();
        var run = RunAsync(worker, $"sleep {marker}; true", ToolOutput.Ignore, urgent: urgent, cancel: cancel.Token);
        await Wait.UntilAsync(() => Processes.SessionOf($"sleep {marker}") is not null);

        Processes.SessionOf($"sleep {marker}")!.ShouldEndWith($" nice {nice}");

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);
    }

    [Fact]
    public async Task A_tool_that_says_too_much_is_killed_and_named()
    {
        using var worker = Fixture("Required");
        var marker = Marker();
        var failure = await Should.ThrowAsync<AttemptFailedException>(
            RunAsync(worker, $"yes {marker}", ToolOutput.Capture(new StringBuilder(), OutputLimitBytes)));
        failure.Code.ShouldBe(FailureCodes.ToolOutputTooLarge);
        Processes.With(marker).ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_the_last_of_the_error_output_is_kept()
    {
        using var worker = Fixture("Required");
        var failure = await FailAsync(worker, "seq 1 200000 >&2; exit 3");
        failure.LogTail.Length.ShouldBe(TextTail.LimitBytes);
        failure.LogTail.ShouldEndWith("200000\n");
        failure.Message.ShouldBe("bash ended with 3: 200000");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_missing_tool_is_named(string mode)
    {
        using var worker = Fixture(mode);
        var failure = await Should.ThrowAsync<AttemptFailedException>(worker.Tools.RunAsync(
            new ToolCommand
            {
                Program = "no-such-tool", Arguments = _ => [],
            },
            ToolOutput.Ignore, WorkerFixture.Cancel));
        failure.Code.ShouldBe(FailureCodes.ToolMissing);
    }

    [Theory]
    [InlineData(127, "sh: 1: exec: bwrap: not found", FailureCodes.SandboxUnavailable)]
    [InlineData(1, "bwrap: No permissions to create new namespace", FailureCodes.SandboxUnavailable)]
    [InlineData(1, "av_interleaved_write_frame(): No space left on device", FailureCodes.ScratchFull)]
    [InlineData(153, "", FailureCodes.ToolOutputTooLarge)]
    [InlineData(1, "Conversion failed!", FailureCodes.ToolFailed)]
    public void Last_words_tell_what_failed(int exitCode, string words, string code) =>
        ToolFault.Explain("ffmpeg", exitCode, words).Code.ShouldBe(code);

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task The_processor_time_of_a_tool_is_counted(string mode)
    {
        using var worker = Fixture(mode);
        var seconds = 0.0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument is { Name: "tool.cpu", Meter.Name: "Hexcast.Worker" })
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, used, _, _) => seconds += used);
        listener.Start();
        // What others have left behind.
        await ShellAsync(worker, "true");
        var before = seconds;

        await ShellAsync(worker, "for ((i = 0; i < 400000; i++)); do :; done");

        (seconds - before).ShouldBeInRange(0.1, 60);
    }

    [Fact]
    public async Task Many_tools_at_once_all_end()
    {
        using var worker = Fixture("Required");
        var outputs = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => ShellAsync(worker, $"echo {i}")));
        outputs.Select(int.Parse).ShouldBe(Enumerable.Range(0, 16));
    }

    private static WorkerFixture Fixture(string mode) =>
        new(new WorkerOptions { Sandbox = Enum.Parse<SandboxMode>(mode) });

    // A number of seconds that no other process sleeps.
    private static string Marker() => $"9{Random.Shared.Next(100_000_000, 1_000_000_000)}";

    private static async Task<string> ShellAsync(WorkerFixture worker, string script, string? source = null)
    {
        var text = new StringBuilder();
        await RunAsync(worker, script, ToolOutput.Capture(text, OutputLimitBytes), source);
        return text.ToString().Trim();
    }

    private static Task<AttemptFailedException> FailAsync(WorkerFixture worker, string script, string? source = null) =>
        Should.ThrowAsync<AttemptFailedException>(RunAsync(worker, script, ToolOutput.Ignore, source));

    private static Task RunAsync(
        WorkerFixture worker,
        string script,
        OutputReader read,
        string? source = null,
        CancellationToken? cancel = null,
        TimeSpan headStart = default,
        bool urgent = false) =>
        worker.Tools.RunAsync(
            new ToolCommand
            {
                Program = "bash",
                Arguments = _ => ["-c", script],
                SourcePath = source,
                OutputFolder = worker.NewFolder("run"),
                HeadStart = headStart,
                Urgent = urgent,
            },
            read, cancel ?? WorkerFixture.Cancel);
}
