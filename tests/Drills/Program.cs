using Hexcast.Drills;

// ./hexcast drill NAME|all: the long fault matrices, run by hand; each writes its result to docs/drills/NAME.md.
// ./hexcast drill cluster ROW: one row of that one.
var row = args.ElementAtOrDefault(1);
var drills = new Dictionary<string, Func<Task>>(StringComparer.Ordinal)
{
    ["crash"] = () => ReportAsync("crash", CrashDrill.RunAsync),
    ["cluster"] = () => ClusterDrill.RunAsync(row),
    ["sim"] = () => ReportAsync("sim", SimulationDrill.RunAsync),
    ["power"] = () => ReportAsync("power", PowerDrill.RunAsync),
};
var name = args.FirstOrDefault();
var isKnown = name == "all" || drills.ContainsKey(name ?? "");
if (!isKnown || (row is not null && (name != "cluster" || !ClusterDrill.Names.Contains(row))))
{
    Console.Error.WriteLine(
        $"usage: ./hexcast drill NAME|all    (NAME: {string.Join(", ", drills.Keys)})\n" +
        $"       ./hexcast drill cluster ROW (ROW: {string.Join(", ", ClusterDrill.Names)})");
    return name is "--help" or "-h" ? 0 : 2;
}

if (name is "power" or "all" && Guest.Missing is { } missing)
{
    Console.Error.WriteLine($"power: {missing}");
    drills.Remove("power");
    if (name == "power")
    {
        return 6;
    }
}

foreach (var (drill, run) in drills.Where(d => name == "all" || d.Key == name))
{
    await run();
}

return 0;

static async Task ReportAsync(string drill, Func<DrillReport, Task> run)
{
    var report = new DrillReport(drill);
    await run(report);
    Console.WriteLine($"wrote {await report.SaveAsync()}");
}
