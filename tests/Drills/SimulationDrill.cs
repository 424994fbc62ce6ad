namespace Hexcast.Drills;

/// <summary>The simulator over as many seeds as the documents claim.</summary>
internal static class SimulationDrill
{
    private const int Seeds = 100_000;

    public static async Task RunAsync(DrillReport report)
    {
        var dll = Path.Combine(
            DrillReport.Root(), "tests", "Simulation", "bin", "Release", "net10.0", "Hexcast.Simulation.dll");
        var (said, _) = await Clips.RunAsync("dotnet", ["exec", dll, "sim", "--seeds", $"{Seeds}"]);
        report.Add("Raft groups in simulated weather; docs/decisions/0013-raft.md says what each run checks.");
        report.Add("");
        foreach (var line in said.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            report.Add($"- {line.Trim()}");
        }
    }
}
