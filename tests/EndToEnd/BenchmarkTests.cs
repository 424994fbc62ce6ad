using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>
/// The short form of the benchmarks: that each runs and its table comes out. What it measures on a busy machine says
/// nothing, so nothing is asserted of it. `failover` is left out, which starts two clusters to kill a master of each:
/// <see cref="ClusterTests"/> do as much.
/// </summary>
public sealed class BenchmarkTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static string Program { get; } = typeof(BenchmarkTests).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "HexcastBench").Value!;

    [Theory]
    [InlineData("pipeline")]
    [InlineData("manifest")]
    [InlineData("segment")]
    [InlineData("upload")]
    [InlineData("grpc")]
    [InlineData("coordinator")]
    public async Task A_benchmark_measures_ours_and_its_peer_in_turn(string name)
    {
        var reports = JsonNode.Parse(await RunAsync(name, "--short", "--json"))!.AsArray();
        foreach (var report in reports)
        {
            var pair = report!["pairs"]!.AsArray().ShouldHaveSingleItem()!;
            ((double)pair["ours"]!).ShouldBeGreaterThan(0);
            ((double)pair["peer"]!).ShouldBeGreaterThan(0);
        }

        reports.Count.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task The_benchmark_of_memory_prints_its_table()
    {
        var table = await RunAsync("memory", "--short");
        table.ShouldContain("| 20 viewers, 4 uploads and a transcode | **");
        table.ShouldContain("| one upload of 32 MiB, to ready |");
    }

    [Fact]
    public async Task The_benchmark_of_task_cycles_prints_what_a_queue_costs()
    {
        var table = await RunAsync("cycles", "--short");
        table.ShouldContain("cycles-of-jobs-1000: durable cycles of tasks of jobs of 100 chunks, 1000 queued against");
        table.ShouldContain("cycles-1: durable cycles of tasks scheduled one by one, 1 queued against puts into etcd");
        table.ShouldMatch(@"\| 1000 \| [1-9][0-9]* \|", "cycles/s with a queue");
    }

    [Fact]
    public async Task The_benchmark_of_makespans_gives_the_same_wherever_it_runs()
    {
        var table = await RunAsync("makespan", "--short");
        table.ShouldContain("| all | 10 |");
        table.ShouldBe(await RunAsync("makespan", "--short"));
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (code, output, errors) = await PlayProcess.EndAsync(process, Limit);
        code.ShouldBe(0, errors);
        return output;
    }
}
