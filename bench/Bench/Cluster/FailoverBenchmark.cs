using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.V1;

namespace Hexcast.Bench.Cluster;

/// <summary>
/// Time without a master when it is killed (-9) under load: from the kill until another one answers from a write that
/// is durable. On the embedded coordinator against the longest election timeout, on etcd against the lease.
/// </summary>
internal static class FailoverBenchmark
{
    private const int Workers = 5;
    private const int SlotsEach = 2;

    // Coordination:ElectionTimeoutMilliseconds, at random up to twice as many; the shortest lease of etcd 3.4.
    private static readonly TimeSpan ElectionTimeout = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly TimeProvider Clock = TimeProvider.System;

    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        using var folder = new TempFolder();
        List<FailoverRow> rows = [];
        await using (var embedded = await NodeCluster.StartVotersAsync(Path.Combine(folder.Path, "embedded")))
        {
            rows.Add(new FailoverRow(
                "embedded", "longest election timeout", ElectionTimeout, 3, await KillAsync(embedded, extent.Kills)));
        }

        var etcd = await EtcdMember.StartAsync(Path.Combine(folder.Path, "etcd"), members: 3);
        try
        {
            var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Coordination:Mode"] = "Etcd" };
            foreach (var (member, index) in etcd.Select((member, index) => (member, index)))
            {
                settings[$"Coordination:Endpoints:{index}"] = member.Address;
            }

            await using var onEtcd = await NodeCluster.StartMastersOnEtcdAsync(
                Path.Combine(folder.Path, "nodes"), settings);
            rows.Add(new FailoverRow("etcd", "lease", Lease, 2, await KillAsync(onEtcd, extent.Kills)));
        }
        finally
        {
            foreach (var member in etcd)
            {
                await member.DisposeAsync();
            }
        }

        return [new FailoverFigures(rows)];
    }

    private static async Task<IReadOnlyList<double>> KillAsync(NodeCluster cluster, int kills)
    {
        await using var fleet = await Fleet.JoinAsync(cluster, Workers, SlotsEach, line => new TaskOrders(line));
        var names = cluster.Nodes.Select(cluster.NameOf).ToList();
        List<double> seconds = [];
        fleet.Open();
        while (seconds.Count < kills)
        {
            var master = cluster.Node(await cluster.OnlyMasterAsync(names));
            var others = cluster.Nodes.Where(node => node != master).ToList();
            var before = fleet.Committed;
            await Wait.ForAsync(
                () => Task.FromResult(fleet.Committed > before), Limit, () => "no task is committed any more");
            var since = Clock.GetTimestamp();
            await master.KillAsync();
            seconds.Add((await FirstAnswerAsync(others, since)).TotalSeconds);
            Console.Error.WriteLine($"{seconds.Count} of {kills}: {seconds[^1]:0.00} s without a master");
            await master.StartAgainAsync();
        }

        return seconds;
    }

    private static async Task<TimeSpan> FirstAnswerAsync(IEnumerable<PlatformProcess> nodes, long since)
    {
        using var enough = new CancellationTokenSource();
        var asked = nodes.Select(node => AnswersAsync(node, enough.Token)).ToList();
        try
        {
            await await Task.WhenAny(asked);
            return Clock.GetElapsedTime(since);
        }
        finally
        {
            // Whoever is still asked would be until the next kill, and beyond it.
            await enough.CancelAsync();
            await Task.WhenAll(asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // That there is no such job, only a master knows whose write of nothing has become durable.
    private static async Task AnswersAsync(PlatformProcess node, CancellationToken enough)
    {
        using var channel = GrpcChannel.ForAddress($"http://{node.Grpc}");
        var scheduler = new Scheduler.SchedulerClient(channel.CreateCallInvoker());
        for (var since = Clock.GetTimestamp(); Clock.GetElapsedTime(since) < Limit;)
        {
            try
            {
                await scheduler.GetJobAsync(
                    new GetJobRequest { JobId = "nobody" }, deadline: (Clock.GetUtcNow() + Limit).UtcDateTime,
                    cancellationToken: enough);
            }
            catch (RpcException answer) when (answer.StatusCode == StatusCode.NotFound)
            {
                return;
            }
            catch (RpcException)
            {
                await Task.Delay(Look, Clock, enough);
            }
        }

        throw new TimeoutException("nobody became the master");
    }
}
