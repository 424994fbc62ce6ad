namespace Hexcast.Bench.Cluster;

/// <summary>
/// Durable task cycles: schedule, assign, report, commit, by a master on three voters, with so many tasks queued
/// behind those that run; against puts into an etcd of three members by as many clients. For each task that ends
/// another one is scheduled, so that the queue stays as long as it is.
/// </summary>
internal static class CycleBenchmark
{
    private const int Workers = 5;
    private const int SlotsEach = 50;
    private const int InFlight = Workers * SlotsEach;

    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["Master:QueueLimit"] = "2000000",
        ["Coordination:MaximumStoreMebibytes"] = "4096",
    };

    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        var time = extent.Of(TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(0.5));
        int[] lengths = [.. ((int[])[1, 10_000, extent.Queued]).Where(length => length <= extent.Queued).Distinct()];
        using var folder = new TempFolder();
        await using var ours = await NodeCluster.StartVotersAsync(Path.Combine(folder.Path, "ours"), Settings);
        var etcd = await EtcdMember.StartAsync(Path.Combine(folder.Path, "etcd"), members: 3);
        try
        {
            string[] theirs = [.. etcd.Select(member => member.Address)];
            await using var fleet = await Fleet.JoinAsync(ours, Workers, SlotsEach);
            await fleet.RunAsync(time);
            await DurablePuts.RunAsync(await DurablePuts.LeaderAsync(theirs), InFlight, time);
            List<IReport> reports = [];
            List<QueueRow> rows = [];
            foreach (var length in lengths)
            {
                var filled = await fleet.FillAsync(length);
                List<Pair> pairs = [];
                for (var i = 0; i < extent.Pairs; i++)
                {
                    var us = await fleet.RunAsync(time);
                    var them = await DurablePuts.RunAsync(await DurablePuts.LeaderAsync(theirs), InFlight, time);
                    pairs.Add(new Pair(us, them.Rate));
                    Console.Error.WriteLine(
                        $"{length} queued, pair {i + 1} of {extent.Pairs}: {us:0} cycles/s against {them.Rate:0}");
                }

                var figures = new Figures(
                    $"cycles-{length}", $"durable task cycles, {length} queued", "puts into etcd 3.4 with 3 members",
                    "1/s", Aim.AtLeast(1), pairs, [
                        $"{Workers} workers of {SlotsEach} slots that do no work, {InFlight} puts in flight; " +
                            $"{Environment.ProcessorCount} cores for three servers and the client",
                    ]);
                reports.Add(figures);
                var master = await ours.LeaderAsync();
                rows.Add(new QueueRow(
                    length, filled, Figures.Median(pairs.Select(p => p.Ours)), figures.MedianRatio,
                    ProcessUse.ResidentMebibytes(master.ProcessId),
                    ours.Nodes.Where(n => n != master).Average(n => ProcessUse.ResidentMebibytes(n.ProcessId))));
                Console.Error.WriteLine(rows[^1]);
            }

            return [.. reports, new QueueFigures(rows)];
        }
        finally
        {
            foreach (var member in etcd)
            {
                await member.DisposeAsync();
            }
        }
    }
}
