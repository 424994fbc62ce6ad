using System.Globalization;
using System.Text.Json;
using Hexcast.Bench;
using Hexcast.Bench.Cluster;
using Hexcast.Bench.GrpcPeer;

// ./hexcast bench NAME [--json] [--pairs N] [--short]: every figure that the project claims, as a ratio to a named peer
// that was measured in the same run, in turn with ours. docs/benchmarks.md keeps the results with their conditions.
var benchmarks = new Dictionary<string, Func<Extent, Task<IReadOnlyList<IReport>>>>(StringComparer.Ordinal)
{
    ["pipeline"] = PipelineBenchmark.RunAsync,
    // The same series; both tables are printed.
    ["first-play"] = PipelineBenchmark.RunAsync,
    ["manifest"] = ServingBenchmark.ManifestAsync,
    ["segment"] = ServingBenchmark.SegmentAsync,
    ["upload"] = UploadBenchmark.RunAsync,
    ["memory"] = MemoryBenchmark.RunAsync,
    ["grpc"] = GrpcBenchmark.RunAsync,
    ["coordinator"] = CoordinatorBenchmark.RunAsync,
    ["cycles"] = CycleBenchmark.RunAsync,
    ["failover"] = FailoverBenchmark.RunAsync,
    ["makespan"] = MakespanBenchmark.RunAsync,
    ["cluster"] = ClusterBenchmark.RunAsync,
};
if (args is ["grpc-server"])
{
    await GrpcServer.ServeAsync();
    return 0;
}

var name = args.FirstOrDefault(a => !a.StartsWith('-'));
if (name is null || !benchmarks.TryGetValue(name, out var run))
{
    Console.Error.WriteLine(
        $"usage: ./hexcast bench NAME [--pairs N] [--queued N] [--kills N] [--short] [--json]" +
        $"    (NAME: {string.Join(", ", benchmarks.Keys)})");
    return args.Contains("--help") || args.Contains("-h") ? 0 : 2;
}

var isShort = args.Contains("--short");
var reports = await run(new Extent(
    Number("--pairs", isShort ? 1 : 5, 100), isShort, Number("--queued", isShort ? 1_000 : 1_000_000, 1_000_000),
    Number("--kills", isShort ? 1 : 20, 1_000)));
Console.WriteLine(args.Contains("--json")
    ? JsonSerializer.Serialize(reports.Cast<object>(), Figures.Json)
    : string.Join('\n', reports.Select(report => report.Table())));
return 0;

int Number(string option, int otherwise, int most)
{
    var at = Array.IndexOf(args, option);
    return at >= 0 && int.TryParse(args.ElementAtOrDefault(at + 1), CultureInfo.InvariantCulture, out var asked)
        ? Math.Clamp(asked, 1, most) : otherwise;
}
