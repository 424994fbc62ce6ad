using Hexcast.Drills;
using Hexcast.Drills.Power;

// ./hexcast drill NAME|all: the long fault matrices, run by hand; each writes its result to docs/drills/NAME.md.
// ./hexcast drill cluster ROW [COORDINATOR]: one row of that one, on one of the two.
var drills = new Dictionary<string, Drill>(StringComparer.Ordinal)
{
    ["crash"] = new(_ => ReportAsync("crash", CrashDrill.RunAsync), _ => null),
    ["cluster"] = new(ClusterDrill.RunAsync, ClusterDrill.HindranceOf),
    ["sim"] = new(_ => ReportAsync("sim", SimulationDrill.RunAsync), _ => null),
    ["power"] = new(_ => ReportAsync("power", PowerDrill.RunAsync), _ => Guest.Missing),
};
return await DrillCommand.RunAsync(args, drills, ClusterDrill.Names, Console.Error);

static async Task<bool> ReportAsync(string drill, Func<DrillReport, Task> run)
{
    await DrillReport.CommitAsync();
    var report = new DrillReport(drill);
    await run(report);
    Console.WriteLine($"wrote {await report.SaveAsync()}");
    return true;
}
