namespace Hexcast.Bench;

/// <summary>
/// Durable writes: three voters of the embedded coordinator, each a whole node, against an etcd of three members; on
/// the same disk and cores, one at rest while the other is asked, by the same client over plain HTTP/2, at whoever
/// leads.
/// </summary>
internal static class CoordinatorBenchmark
{
    private static readonly int[] InFlight = [1, 16, 256];

    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        var time = extent.Of(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(0.5));
        using var folder = new TempFolder();
        await using var ours = await StartOursAsync(folder.Path);
        var etcd = await EtcdMember.StartAsync(Path.Combine(folder.Path, "etcd"), members: 3);
        try
        {
            string[] own = [.. ours.Nodes.Select(node => $"http://{node.Grpc}")];
            string[] theirs = [.. etcd.Select(member => member.Address)];
            await DurablePuts.RunAsync(await DurablePuts.LeaderAsync(own), InFlight[^1], time);
            await DurablePuts.RunAsync(await DurablePuts.LeaderAsync(theirs), InFlight[^1], time);
            List<IReport> reports = [];
            foreach (var inFlight in InFlight)
            {
                reports.Add(await CompareAsync(own, theirs, inFlight, time, extent));
            }

            return reports;
        }
        finally
        {
            foreach (var member in etcd)
            {
                await member.DisposeAsync();
            }
        }
    }

    private static async Task<Figures> CompareAsync(
        string[] own, string[] theirs, int inFlight, TimeSpan time, Extent extent)
    {
        List<Pair> pairs = [];
        List<double> slowest = [], slowestTheirs = [];
        for (var i = 0; i < extent.Pairs; i++)
        {
            var us = await DurablePuts.RunAsync(await DurablePuts.LeaderAsync(own), inFlight, time);
            var them = await DurablePuts.RunAsync(await DurablePuts.LeaderAsync(theirs), inFlight, time);
            pairs.Add(new Pair(us.Rate, them.Rate));
            slowest.Add(us.P99);
            slowestTheirs.Add(them.P99);
            Console.Error.WriteLine(
                $"{inFlight} in flight, pair {i + 1} of {extent.Pairs}: {us.Rate:0} against {them.Rate:0} puts/s");
        }

        return new Figures(
            $"coordinator-{inFlight}", $"durable puts, 3 voters, {inFlight} in flight", "etcd 3.4 with 3 members",
            "puts/s", Aim.AtLeast(1), pairs, [
                $"99 % within {Figures.Median(slowest):0.0} ms, " +
                    $"of etcd's within {Figures.Median(slowestTheirs):0.0} ms",
                $"values of {DurablePuts.ValueBytes} B; {Environment.ProcessorCount} cores for three servers " +
                    "and the client, while the other three rest",
            ]);
    }

    private static async Task<NodeCluster> StartOursAsync(string folder) =>
        await NodeCluster.StartVotersAsync(Path.Combine(folder, "ours"));
}
