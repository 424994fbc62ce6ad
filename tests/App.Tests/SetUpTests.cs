using System.Diagnostics;

namespace Hexcast.App.Tests;

/// <summary>The scripts around the executable, with a PATH on which a machine's lacks are played.</summary>
public sealed class SetUpTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>What the scripts need of any Debian.</summary>
    private static readonly string[] Always =
    [
        "bash", "sh", "readlink", "dirname", "basename", "sort", "getent", "cut", "mktemp", "rm", "mkdir", "mv", "cat",
        "find", "grep", "sed", "tr", "timeout", "tail", "paste", "env", "sha256sum",
    ];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hexcast-setup-");
    private readonly string path;

    public SetUpTests()
    {
        path = folder.CreateSubdirectory("bin").FullName;
        foreach (var name in Always)
        {
            var real = new[] { "/usr/bin", "/bin" }.Select(bin => Path.Combine(bin, name)).First(File.Exists);
            File.CreateSymbolicLink(Path.Combine(path, name), real);
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("play")]
    [InlineData("serve")]
    public async Task Without_root_what_is_missing_ends_with_6_and_the_command_that_installs_it(string command)
    {
        Put("id", "echo 1000");
        Put("apt-get", "exit 99");
        Put("bwrap", "exit 0");
        Put("npm", "exit 0");

        var ended = await RunAsync(Path.Combine(Root(), "hexcast"), command);

        ended.ExitCode.ShouldBe(Cli.ExitCode.SetupMissing, ended.Errors);
        ended.Errors.ShouldContain("missing: ffmpeg.");
        ended.Errors.ShouldContain(
            "sudo apt-get update && sudo apt-get install -y --no-install-recommends ffmpeg\n");
    }

    [Theory]
    [InlineData("drill")]
    [InlineData("drill", "nobody")]
    [InlineData("bench", "nobody")]
    public async Task A_name_that_there_is_not_is_refused_before_anything_is_installed(params string[] arguments)
    {
        var ended = await RunAsync(Path.Combine(Root(), "hexcast"), arguments);

        ended.ExitCode.ShouldBe(Cli.ExitCode.Usage, ended.Errors);
        ended.Errors.ShouldContain($"./hexcast {arguments[0]} ");
    }

    [Theory]
    [InlineData("help")]
    [InlineData("--help")]
    public async Task Help_names_every_command_and_exit_code_and_needs_nothing_installed(string asked)
    {
        var ended = await RunAsync(Path.Combine(Root(), "hexcast"), asked);

        ended.ExitCode.ShouldBe(Cli.ExitCode.Success, ended.Errors);
        ended.Errors.ShouldBeEmpty();
        foreach (var command in Cli.CommandLine.Root(TimeProvider.System).Subcommands)
        {
            ended.Output.ShouldContain($"./hexcast {command.Name} ");
        }

        foreach (var code in typeof(Cli.ExitCode).GetFields())
        {
            ended.Output.ReplaceLineEndings(" ").ShouldContain($" {code.GetRawConstantValue()} ");
        }
    }

    [Fact]
    public async Task The_script_hands_every_command_to_the_executable()
    {
        Put("dotnet", "exit 1");
        foreach (var command in Cli.CommandLine.Root(TimeProvider.System).Subcommands)
        {
            // Without an SDK that is as far as it comes; an unknown command would end with 2.
            var ended = await RunAsync(Path.Combine(Root(), "hexcast"), command.Name, "--help");

            ended.ExitCode.ShouldBe(Cli.ExitCode.SetupMissing, $"{command.Name}: {ended.Errors}");
            ended.Errors.ShouldContain("SDK is missing");
        }
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("lint", "nonsense")]
    [InlineData("docs", "nonsense")]
    [InlineData("test", "One", "nonsense")]
    [InlineData("bench", "nonsense")]
    public async Task What_the_script_does_not_know_is_named_before_anything_is_built(params string[] arguments)
    {
        var ended = await RunAsync(Path.Combine(Root(), "hexcast"), arguments);

        ended.ExitCode.ShouldBe(Cli.ExitCode.Usage, ended.Errors);
        ended.Errors.ShouldContain("\"nonsense\"");
    }

    [Theory]
    [InlineData("test")]
    [InlineData("lint")]
    [InlineData("docs")]
    [InlineData("drill")]
    [InlineData("bench")]
    [InlineData("sim")]
    public async Task Help_of_the_scripts_own_commands_shows_examples_and_does_nothing(string command)
    {
        var ended = await RunAsync(Path.Combine(Root(), "hexcast"), command, "--help");

        ended.ExitCode.ShouldBe(Cli.ExitCode.Success, ended.Errors);
        ended.Errors.ShouldBeEmpty();
        ended.Output.ShouldContain("Examples:");
        ended.Output.ShouldContain($"  ./hexcast {command}");
    }

    [Theory]
    [InlineData("passed=\"7\" failed=\"0\" skipped=\"1\"", 0, 0, "7 passed, 0 failed, 1 skipped")]
    [InlineData("passed=\"5\" failed=\"2\" skipped=\"0\"", 1, 1, "5 passed, 2 failed, 0 skipped")]
    [InlineData("", 139, 1, "0 passed, 1 failed, 0 skipped")]
    public async Task The_tests_last_line_has_the_sums_and_the_exit_code_says_whether_any_failed(
        string counts, int projectEndsWith, int expected, string lastLine)
    {
        // A checkout with one test project, whose run is played.
        var project = folder.CreateSubdirectory("tests/One/bin/Release/net10.0").FullName;
        await WriteAsync(Path.Combine(folder.FullName, "tests/One/One.csproj"), "<Project />");
        await WriteAsync(Path.Combine(project, "Hexcast.One.dll"), "");
        Put(
            "dotnet",
            $"""
            xml=$(echo "$*" | sed 's/.*-xml \([^ ]*\).*/\1/')
            [ -z '{counts}' ] || echo '<assembly name="One" {counts} errors="0" time="1.5">' > "$xml"
            exit {projectEndsWith}
            """);
        await WriteAsync(
            Path.Combine(folder.FullName, "run"),
            $$"""
            set -euo pipefail
            root={{folder.FullName}}
            say() { printf 'hexcast: %s\n' "$*" >&2; }
            need_sdk() { :; }
            need_packages() { :; }
            build_everything() { :; }
            run_packages=() test_packages=()
            source {{Root()}}/scripts/test.sh
            run_tests
            """);

        var ended = await RunAsync(Path.Combine(path, "bash"), Path.Combine(folder.FullName, "run"));

        ended.Output.TrimEnd().Split('\n')[^1].ShouldBe(lastLine, ended.Errors);
        ended.ExitCode.ShouldBe(expected, ended.Errors);
    }

    [Fact]
    public async Task What_a_build_itself_leaves_below_src_is_no_reason_to_build_again()
    {
        Put("dotnet", "echo 10.0.100");
        await WriteAsync(
            Path.Combine(folder.FullName, "run"),
            $$"""
            set -euo pipefail
            root={{folder.FullName}}
            source {{Root()}}/scripts/setup.sh
            mkdir -p "$root/src/Pages/wwwroot/lib" "$root/src/Pages/obj"
            : >"$root/src/Pages/Pages.csproj"
            sources_stamp 'src/'
            : >"$root/src/Pages/wwwroot/lib/player.js"
            : >"$root/src/Pages/obj/made.cs"
            : >"$root/src/Pages/packages.lock.json"
            sources_stamp 'src/'
            : >"$root/src/Pages/wwwroot/page.js"
            sources_stamp 'src/'
            """);

        var ended = await RunAsync(Path.Combine(path, "bash"), Path.Combine(folder.FullName, "run"));

        ended.ExitCode.ShouldBe(0, ended.Errors);
        var stamps = ended.Output.TrimEnd().Split('\n');
        stamps[1].ShouldBe(stamps[0]);
        stamps[2].ShouldNotBe(stamps[1]);
    }

    private async Task<Ended> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PATH"] = path;
        start.Environment["HOME"] = folder.FullName;
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return new Ended(process.ExitCode, await output, await errors);
    }

    private void Put(string name, string script)
    {
        var file = Path.Combine(path, name);
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static Task WriteAsync(string file, string text) =>
        File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);

    private static string Root()
    {
        var checkout = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(checkout.FullName, "Hexcast.slnx")))
        {
            checkout = checkout.Parent!;
        }

        return checkout.FullName;
    }
}
