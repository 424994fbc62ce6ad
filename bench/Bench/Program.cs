using System.Text.Json;
using Hexcast.Bench;

// ./hexcast bench NAME [--json] [--pairs N]: every figure that the project claims, as a ratio to a named peer that was
// measured in the same run, in turn with ours. docs/benchmarks.md keeps the results with their conditions.
var benchmarks = new Dictionary<string, Func<int, Task<IReadOnlyList<Figures>>>>(StringComparer.Ordinal)
{
    ["pipeline"] = PipelineBenchmark.RunAsync,
    // The same series; both tables are printed.
    ["first-play"] = PipelineBenchmark.RunAsync,
};
var name = args.FirstOrDefault(a => !a.StartsWith('-'));
if (name is null || !benchmarks.TryGetValue(name, out var run))
{
    Console.Error.WriteLine(
        $"usage: ./hexcast bench NAME [--pairs N] [--json]    (NAME: {string.Join(", ", benchmarks.Keys)})");
    return args.Contains("--help") || args.Contains("-h") ? 0 : 2;
}

var at = Array.IndexOf(args, "--pairs");
var pairs = at >= 0 && int.TryParse(args.ElementAtOrDefault(at + 1), out var asked) ? Math.Clamp(asked, 1, 100) : 5;
var figures = await run(pairs);
Console.WriteLine(args.Contains("--json")
    ? JsonSerializer.Serialize(figures, Figures.Json)
    : string.Join('\n', figures.Select(f => f.Table())));
return 0;
