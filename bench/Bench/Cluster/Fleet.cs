using Hexcast.Contracts.V1;

namespace Hexcast.Bench.Cluster;

/// <summary>Workers that do no work, and what is ordered for them: as much as ends.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private const int FillersAtOnce = 1_000;

    private readonly Gate gate = new();
    private readonly List<FakeWorker> workers = [];
    private readonly MasterLine master;
    private readonly Orders orders;
    private readonly int slots;
    private long committed;
    private int inSystem;

    private Fleet(MasterLine master, Orders orders, int slots) =>
        (this.master, this.orders, this.slots) = (master, orders, slots);

    public static async Task<Fleet> JoinAsync(
        NodeCluster cluster, int workers, int slotsEach, Func<MasterLine, Orders> orders)
    {
        var line = new MasterLine(cluster.LeaderAsync);
        var fleet = new Fleet(line, orders(line), workers * slotsEach);
        for (var i = 0; i < workers; i++)
        {
            var worker = new FakeWorker(cluster.LeaderAsync, $"fake-{i}", slotsEach, fleet.gate, fleet.CommittedAsync);
            fleet.workers.Add(worker);
            await worker.Welcomed;
        }

        await fleet.FillAsync(1);
        return fleet;
    }

    /// <summary>Attempts that were accepted as committed.</summary>
    public long Committed => Interlocked.Read(ref committed);

    /// <summary>Workers report from now on.</summary>
    public void Open() => gate.Open();

    /// <summary>Until the queue is so long, behind a task in each slot. Returns tasks scheduled in a second.</summary>
    public async Task<double> FillAsync(int length)
    {
        var missing = length + slots - inSystem;
        inSystem += missing;
        var start = TimeProvider.System.GetTimestamp();
        await orders.AddAsync(missing, FillersAtOnce, CancellationToken.None);
        return missing / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Cycles in a second.</summary>
    public async Task<double> RunAsync(TimeSpan time)
    {
        var before = Committed;
        var start = TimeProvider.System.GetTimestamp();
        gate.Open();
        var failed = await Task.WhenAny(
            workers.Select(worker => worker.Ended).Append(Task.Delay(time, TimeProvider.System)));
        await failed;
        var done = Committed - before;
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        gate.Shut();
        return done / seconds;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in workers)
        {
            await worker.DisposeAsync();
        }

        master.Dispose();
    }

    private async Task CommittedAsync(TaskAssignment task, CancellationToken cancel)
    {
        Interlocked.Increment(ref committed);
        await orders.ReplaceAsync(task, cancel);
    }
}
