namespace Hexcast.Drills;

/// <summary>200 kills at random moments of jobs; each job ends ready and nothing is left behind.</summary>
internal static class CrashDrill
{
    private const int Kills = 200;

    public static async Task RunAsync(DrillReport report)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        var seed = (int)(clock.GetUtcNow().ToUnixTimeSeconds() & 0xffffff);
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 24, size: "854x480");
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        var run = new CrashRun(platform, clip, new Random(seed));
        var kills = 0;
        while (kills < Kills)
        {
            kills += await run.OneMediaAsync(Kills - kills);
            Console.WriteLine($"{kills} kills, {run.Finished.Count} media ready");
        }

        await run.CheckNothingIsLeftAsync();
        report.Add("| what | value |");
        report.Add("| --- | --- |");
        report.Add($"| seed | {seed} |");
        report.Add($"| kill -9 of the whole process | {kills} |");
        report.Add($"| media uploaded, all ready with every frame | {run.Finished.Count} |");
        report.Add("| segments named twice | 0 |");
        report.Add("| objects that nothing names | 0 |");
        report.Add($"| wall time | {clock.GetElapsedTime(start):hh\\:mm\\:ss} |");
    }
}
