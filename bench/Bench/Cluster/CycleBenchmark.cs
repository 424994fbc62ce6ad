namespace Hexcast.Bench.Cluster;

/// <summary>
/// Durable task cycles by a master on three voters, with so many tasks queued behind those that run, which stay as
/// many; against puts into an etcd of three members by as many clients. In two forms: tasks of jobs (assign, report,
/// commit; a hundred and three for each job that is ordered and forgotten), and tasks that are scheduled one by one
/// (schedule, assign, report, commit).
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
        int[] lengths = [.. ((int[])[1, 10_000, extent.Queued]).Where(length => length <= extent.Queued).Distinct()];
        using var folder = new TempFolder();
        var etcd = await EtcdMember.StartAsync(Path.Combine(folder.Path, "etcd"), members: 3);
        try
        {
            var theirs = new Peer([.. etcd.Select(member => member.Address)]);
            var (ofJobs, _) = await MeasureAsync(
                new Form("cycles-of-jobs", $"durable cycles of tasks of jobs of {JobOrders.ChunksEach} chunks",
                    "a cycle is two writes, and a third that forgets it", line => new JobOrders(line)),
                [Math.Min(10_000, extent.Queued)], extent, Path.Combine(folder.Path, "jobs"), theirs);
            var (ofTasks, rows) = await MeasureAsync(
                new Form("cycles", "durable cycles of tasks scheduled one by one",
                    "a cycle is a call that schedules and five writes, and two that forget it",
                    line => new TaskOrders(line)),
                lengths, extent, Path.Combine(folder.Path, "tasks"), theirs);
            return [.. ofJobs, .. ofTasks, new QueueFigures(rows)];
        }
        finally
        {
            foreach (var member in etcd)
            {
                await member.DisposeAsync();
            }
        }
    }

    private static async Task<(IReadOnlyList<Figures> Figures, IReadOnlyList<QueueRow> Rows)> MeasureAsync(
        Form form, IReadOnlyList<int> lengths, Extent extent, string folder, Peer theirs)
    {
        var time = extent.Of(TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(0.5));
        await using var ours = await NodeCluster.StartVotersAsync(folder, Settings);
        await using var fleet = await Fleet.JoinAsync(ours, Workers, SlotsEach, form.Orders);
        List<Figures> reports = [];
        List<QueueRow> rows = [];
        foreach (var length in lengths)
        {
            var filled = await fleet.FillAsync(length);
            await fleet.RunAsync(time);
            await theirs.RunAsync(time);
            List<Pair> pairs = [];
            for (var i = 0; i < extent.Pairs; i++)
            {
                pairs.Add(new Pair(await fleet.RunAsync(time), await theirs.RunAsync(time)));
                Console.Error.WriteLine(
                    $"{form.Name}, {length} queued, pair {i + 1} of {extent.Pairs}: " +
                    $"{pairs[^1].Ours:0} cycles/s against {pairs[^1].Peer:0}");
            }

            var figures = new Figures(
                $"{form.Name}-{length}", $"{form.Words}, {length} queued", "puts into etcd 3.4 with 3 members",
                "1/s", Aim.AtLeast(1), pairs, [
                    $"{Workers} workers of {SlotsEach} slots that do no work, {InFlight} puts in flight; " +
                        $"{Environment.ProcessorCount} cores for three servers and the client",
                    $"{form.Costs}; reports of a worker that come up together share a call, a put has its own",
                ]);
            reports.Add(figures);
            var master = await ours.LeaderAsync();
            rows.Add(new QueueRow(
                length, filled, Figures.Median(pairs.Select(p => p.Ours)), figures.MedianRatio,
                ProcessUse.ResidentMebibytes(master.ProcessId),
                ours.Nodes.Where(n => n != master).Average(n => ProcessUse.ResidentMebibytes(n.ProcessId))));
        }

        return (reports, rows);
    }

    private sealed record Form(string Name, string Words, string Costs, Func<MasterLine, Orders> Orders);

    private sealed record Peer(string[] Members)
    {
        /// <summary>Puts in a second.</summary>
        public async Task<double> RunAsync(TimeSpan time) =>
            (await DurablePuts.RunAsync(await DurablePuts.LeaderAsync(Members), InFlight, time)).Rate;
    }
}
