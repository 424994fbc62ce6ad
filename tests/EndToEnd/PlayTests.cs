using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>`play` and `serve` as a person starts and stops them.</summary>
public sealed class PlayTests
{
    private static readonly TimeSpan StateLimit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Play_on_an_empty_folder_makes_a_clip_ready_and_a_second_start_uploads_nothing()
    {
        using var folder = new TempFolder();
        var play = new PlayProcess(Path.Combine(folder.Path, "data"));

        var first = await play.RunAsync("--once", "--json");
        var second = await play.RunAsync("--once", "--json");

        first.ExitCode.ShouldBe(0, first.Errors);
        var made = Played(first.Output).ShouldHaveSingleItem();
        ((string)made["media"]!["state"]!).ShouldBe("ready");
        ((double)made["time_to_playable_seconds"]!).ShouldBeGreaterThan(0);
        ((double)made["time_to_ready_seconds"]!).ShouldBeGreaterThan(0);
        ((double)made["times_realtime"]!).ShouldBeGreaterThan(0);
        made["media"]!["renditions"]!.AsArray().Count.ShouldBeGreaterThan(1);
        first.Errors.ShouldContain("playable after");
        first.Errors.ShouldContain("ready after");
        // What the other commands need to find a platform that is not where they look by themselves.
        first.Errors.ShouldMatch(@"for the other commands: export HEXCAST_URL=http://127\.0\.0\.1:\d+ HEXCAST_TOKEN=");
        first.Errors.ShouldContain($"$(cat '{Path.Combine(folder.Path, "data", "admin.token")}')");

        second.ExitCode.ShouldBe(0, second.Errors);
        var found = Played(second.Output).ShouldHaveSingleItem();
        ((string)found["media"]!["media_id"]!).ShouldBe((string)made["media"]!["media_id"]!);
        second.Errors.ShouldContain("In the data folder");
    }

    [Fact]
    public async Task Play_killed_in_the_middle_of_a_job_goes_on_where_it_stopped()
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 24, size: "854x480");
        var play = new PlayProcess(Path.Combine(folder.Path, "data"));
        using (var first = play.Start(clip))
        {
            using var http = play.Client();
            await Wait.ForAsync(
                () => HasStateAsync(http, "processing", "playable"), StateLimit, () => $"no job began:\n{play.Log}");
            first.Kill(entireProcessTree: false);
            await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var second = await play.RunAsync(clip, "--once", "--json");

        second.ExitCode.ShouldBe(0, second.Errors);
        second.Errors.ShouldContain("it is not uploaded again");
        second.Errors.ShouldContain("going on where it stopped");
        ((string)Played(second.Output).ShouldHaveSingleItem()["media"]!["state"]!).ShouldBe("ready");
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Serve_asked_to_end_during_a_job_ends_with_0_and_leaves_nothing_running(string signal)
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 24, size: "854x480");
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        await platform.Api.UploadAsync(clip);
        await Wait.ForAsync(
            () => Task.FromResult(Running(platform.DataFolder).Any(line => line.Contains("ffmpeg"))),
            StateLimit,
            () => $"no ffmpeg began:\n{platform.Log}");

        var code = await platform.StopAsync(signal);

        code.ShouldBe(0, platform.Log);
        await Wait.ForAsync(
            () => Task.FromResult(!Running(platform.DataFolder).Any()),
            TimeSpan.FromSeconds(5),
            () => string.Join('\n', Running(platform.DataFolder)));
        using (File.Open(Path.Combine(platform.DataFolder, "hexcast.lock"), FileMode.Open, FileAccess.ReadWrite))
        {
            // Opening it for itself is the test: .NET locks the file as the platform does.
        }

        foreach (var line in platform.Log.Split('\n').Where(line => line.StartsWith('{')))
        {
            ((string)JsonNode.Parse(line)!["level"]!).ShouldNotBeOneOf("error", "critical", line);
        }
    }

    private static async Task<bool> HasStateAsync(HttpClient http, params string[] states)
    {
        try
        {
            var list = await http.GetFromJsonAsync<JsonObject>("/v1/media");
            return list!["media"]!.AsArray().Any(media => states.Contains((string)media!["state"]!));
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return false;
        }
    }

    private static IEnumerable<JsonNode> Played(string document) =>
        JsonNode.Parse(document)!["media"]!.AsArray().Select(one => one!);

    // The sandbox's own command line names the scratch folder, wherever ffmpeg itself believes to be.
    private static IEnumerable<string> Running(string dataFolder)
    {
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                var line = CommandLine(process.Id);
                if (line.Contains(dataFolder, StringComparison.Ordinal) && line.Contains("bwrap"))
                {
                    yield return line;
                }
            }
        }
    }

    private static string CommandLine(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/cmdline").Replace('\0', ' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
