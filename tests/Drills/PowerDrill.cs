using System.Globalization;
using Hexcast.Drills.Power;

namespace Hexcast.Drills;

/// <summary>A node's machine loses its power at random moments under load, and starts again on the same disk.</summary>
internal static class PowerDrill
{
    private const string RoundsVariable = "HEXCAST_DRILL_ROUNDS";
    private const string SeedVariable = "HEXCAST_DRILL_SEED";
    private const string ModesVariable = "HEXCAST_DRILL_ONLY";
    private const int Cuts = 30;
    private const int ControlCuts = 3;

    public static async Task RunAsync(DrillReport report)
    {
        var clock = TimeProvider.System;
        var cuts = Setting(RoundsVariable) ?? Cuts;
        var seed = Setting(SeedVariable) ?? (int)(clock.GetUtcNow().ToUnixTimeSeconds() & 0xffffff);
        using var folder = new TempFolder();
        foreach (var line in File.ReadLines(Path.Combine(DrillReport.Root(), "tests", "Drills", "Power", "about.md")))
        {
            report.Add(line);
        }

        report.Add($"Seed {seed}.");
        if (Wanted("control"))
        {
            report.Add("");
            report.Add("## Control");
            report.Add("");
            await ControlAsync(report, Path.Combine(folder.Path, "control"), new Random(seed));
        }

        if (Wanted("alone"))
        {
            var start = clock.GetTimestamp();
            report.Add("");
            report.Add("## Alone");
            report.Add("");
            await AloneRun.RunAsync(report, Path.Combine(folder.Path, "alone"), cuts, new Random(seed));
            report.Add($"| wall time | {clock.GetElapsedTime(start):hh\\:mm\\:ss} |");
        }

        if (Wanted("voters"))
        {
            var start = clock.GetTimestamp();
            report.Add("");
            report.Add("## One of three voters");
            report.Add("");
            await VotersRun.RunAsync(report, Path.Combine(folder.Path, "voters"), cuts, new Random(seed));
            report.Add($"| wall time | {clock.GetElapsedTime(start):hh\\:mm\\:ss} |");
        }
    }

    /// <summary>What both runs tell of their guest.</summary>
    public static void AddGuest(DrillReport report, GuestNode node, int cuts)
    {
        var starts = node.Starts.Select(start => start.TotalSeconds).Order().ToList();
        report.Add("| what | value |");
        report.Add("| --- | --- |");
        report.Add($"| power losses | {cuts} |");
        report.Add($"| starts after one, all of them to `ready` | {node.Starts.Count - 1} |");
        report.Add($"| losses that took unsynced lines of the file beside | {node.LossesSeen} of " +
            $"{node.LossesPossible} |");
        report.Add($"| seconds from power on to `ready`, median and longest | {starts[starts.Count / 2]:0} and " +
            $"{starts[^1]:0} |");
    }

    /// <summary>A node that syncs nothing has to be found out, or the others prove nothing.</summary>
    private static async Task ControlAsync(DrillReport report, string folder, Random random)
    {
        try
        {
            await AloneRun.RunAsync(report, folder, ControlCuts, random, syncs: false);
        }
        catch (LostException found)
        {
            report.Add($"A node of which no fsync does anything was found out: {found.Message}.");
            return;
        }

        throw new InvalidOperationException($"{ControlCuts} losses took nothing of a node that syncs nothing");
    }

    private static bool Wanted(string mode) =>
        Environment.GetEnvironmentVariable(ModesVariable) is not { Length: > 0 } only || only == mode;

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value)
            ? value : null;
}
