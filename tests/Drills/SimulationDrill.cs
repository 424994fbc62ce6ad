namespace Hexcast.Drills;

/// <summary>The simulator over as many seeds as the documents claim.</summary>
internal static class SimulationDrill
{
    private const int Seeds = 100_000;
    private const int GroupSeeds = 20_000;
    private const int JobSeeds = 8_000;

    public static async Task RunAsync(DrillReport report)
    {
        var dll = Path.Combine(
            DrillReport.Root(), "tests", "Simulation", "bin", "Release", "net10.0", "Hexcast.Simulation.dll");
        await RunAsync(
            report, "Raft groups in simulated weather; docs/decisions/0013-raft.md says what each run checks.",
            ["exec", dll, "sim", "--seeds", $"{Seeds}"]);
        await RunAsync(
            report, "Whole coordinators on their logs; docs/decisions/0015-voters.md says what each run checks.",
            ["exec", dll, "sim", "--groups", "--seeds", $"{GroupSeeds}"]);
        await RunAsync(
            report, "Masters and workers on such coordinators; docs/decisions/0007-scheduler-state.md says what each " +
            "run checks.",
            ["exec", dll, "sim", "--jobs", "--seeds", $"{JobSeeds}"]);
    }

    private static async Task RunAsync(DrillReport report, string what, string[] arguments)
    {
        var (said, _) = await Clips.RunAsync("dotnet", arguments);
        report.Add(what);
        report.Add("");
        foreach (var line in said.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            report.Add($"- {line.Trim()}");
        }
        report.Add("");
    }
}
