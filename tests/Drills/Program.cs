using Hexcast.Drills;

// ./hexcast drill NAME|all: the long fault matrices, run by hand; each writes its result to docs/drills/NAME.md.
// ./hexcast drill cluster ROW [COORDINATOR]: one row of that one, on one of the two.
var (row, coordinator) = (args.ElementAtOrDefault(1), args.ElementAtOrDefault(2));
var isMet = true;
var drills = new Dictionary<string, Func<Task>>(StringComparer.Ordinal)
{
    ["crash"] = () => ReportAsync("crash", CrashDrill.RunAsync),
    ["cluster"] = async () => isMet &= await ClusterDrill.RunAsync(row, coordinator),
    ["sim"] = () => ReportAsync("sim", SimulationDrill.RunAsync),
    ["power"] = () => ReportAsync("power", PowerDrill.RunAsync),
};
var name = args.FirstOrDefault();
var isKnown = name == "all" || drills.ContainsKey(name ?? "");
var isOfCluster = name == "cluster" && args.Length <= 3
    && ClusterDrill.Names.Any(on => (coordinator ?? on.Key) == on.Key && on.Value.Contains(row!));
if (!isKnown || (row is not null && !isOfCluster))
{
    Console.Error.WriteLine($"usage: ./hexcast drill NAME|all    (NAME: {string.Join(", ", drills.Keys)})");
    foreach (var (on, rows) in ClusterDrill.Names)
    {
        Console.Error.WriteLine($"       ./hexcast drill cluster ROW [{on}]    (ROW: {string.Join(", ", rows)})");
    }

    return name is "--help" or "-h" ? 0 : 2;
}

if (row is not null && ClusterDrill.HindranceOf(row, coordinator) is { } hindrance)
{
    Console.Error.WriteLine($"{row}: {hindrance}");
    return 6;
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

return isMet ? 0 : 1;

static async Task ReportAsync(string drill, Func<DrillReport, Task> run)
{
    var report = new DrillReport(drill);
    await run(report);
    Console.WriteLine($"wrote {await report.SaveAsync()}");
}
