using Hexcast.Drills;

// ./hexcast drill NAME|all: the long fault matrices, run by hand; each writes its result to docs/drills/NAME.md.
var drills = new Dictionary<string, Func<DrillReport, Task>>(StringComparer.Ordinal)
{
    ["crash"] = CrashDrill.RunAsync,
    ["cluster"] = ClusterDrill.RunAsync,
    ["sim"] = SimulationDrill.RunAsync,
    ["power"] = PowerDrill.RunAsync,
};
var name = args.FirstOrDefault();
if (name is null or "--help" or "-h" || (name != "all" && !drills.ContainsKey(name)))
{
    Console.Error.WriteLine($"usage: ./hexcast drill NAME|all    (NAME: {string.Join(", ", drills.Keys)})");
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
    var report = new DrillReport(drill);
    await run(report);
    Console.WriteLine($"wrote {await report.SaveAsync()}");
}

return 0;
