using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>kill -9 of the whole process at random moments of a job; `hexcast drill crash` is the long form.</summary>
public sealed class CrashTests
{
    private const int Kills = 20;

    // Printed when it fails: the same seed kills at the same moments after each start.
    private const int Seed = 20260;

    [Fact]
    public async Task A_job_killed_at_random_moments_ends_ready_and_leaves_nothing_behind()
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 24, size: "854x480");
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        var run = new CrashRun(platform, clip, new Random(Seed));

        for (var kills = 0; kills < Kills;)
        {
            kills += await run.OneMediaAsync(Kills - kills);
        }

        run.Finished.ShouldNotBeEmpty();
        await run.CheckNothingIsLeftAsync();
    }
}
