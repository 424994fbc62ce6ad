namespace Hexcast.Bench.Cluster;

/// <summary>All that is claimed of a cluster: each part is a benchmark of its own, too.</summary>
internal static class ClusterBenchmark
{
    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent) =>
    [
        .. await CoordinatorBenchmark.RunAsync(extent),
        .. await CycleBenchmark.RunAsync(extent),
        .. await FailoverBenchmark.RunAsync(extent),
        .. await MakespanBenchmark.RunAsync(extent),
    ];
}
