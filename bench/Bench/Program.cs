using System.Text.Json;
using Hexcast.Bench;
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
        $"usage: ./hexcast bench NAME [--pairs N] [--short] [--json]    (NAME: {string.Join(", ", benchmarks.Keys)})");
    return args.Contains("--help") || args.Contains("-h") ? 0 : 2;
}

var isShort = args.Contains("--short");
var at = Array.IndexOf(args, "--pairs");
var pairs = at >= 0 && int.TryParse(args.ElementAtOrDefault(at + 1), out var asked)
    ? Math.Clamp(asked, 1, 100) : isShort ? 1 : 5;
var reports = await run(new Extent(pairs, isShort));
Console.WriteLine(args.Contains("--json")
    ? JsonSerializer.Serialize(reports.Cast<object>(), Figures.Json)
    : string.Join('\n', reports.Select(report => report.Table())));
return 0;
