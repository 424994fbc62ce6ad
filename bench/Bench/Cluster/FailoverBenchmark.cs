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
        await using var fleet = await Fleet.JoinAsync(cluster, Workers, SlotsEach);
        List<double> seconds = [];
        fleet.Open();
        while (seconds.Count < kills)
        {
            var master = await OnlyMasterAsync(cluster);
            var others = cluster.Nodes.Where(node => node != master).ToList();
            var before = fleet.Committed;
            await Wait.ForAsync(
                () => Task.FromResult(fleet.Committed > before), Limit, () => "no task is committed any more");
            var since = Clock.GetTimestamp();
            await master.KillAsync();
            await await Task.WhenAny(others.Select(AnswersAsync));
            seconds.Add(Clock.GetElapsedTime(since).TotalSeconds);
            Console.Error.WriteLine($"{seconds.Count} of {kills}: {seconds[^1]:0.00} s without a master");
            await master.StartAgainAsync();
        }

        return seconds;
    }

    // That there is no such job, only a master knows whose write of nothing has become durable.
    private static async Task AnswersAsync(PlatformProcess node)
    {
        using var channel = GrpcChannel.ForAddress($"http://{node.Grpc}");
        var scheduler = new Scheduler.SchedulerClient(channel.CreateCallInvoker());
        for (var since = Clock.GetTimestamp(); Clock.GetElapsedTime(since) < Limit;)
        {
            try
            {
                await scheduler.GetJobAsync(
                    new GetJobRequest { JobId = "nobody" }, deadline: (Clock.GetUtcNow() + Limit).UtcDateTime);
            }
            catch (RpcException answer) when (answer.StatusCode == StatusCode.NotFound)
            {
                return;
            }
            catch (RpcException)
            {
                await Task.Delay(Look, Clock);
            }
        }

        throw new TimeoutException("nobody became the master");
    }

    /// <summary>One that was master until just now may say so for a moment more.</summary>
    private static async Task<PlatformProcess> OnlyMasterAsync(NodeCluster cluster)
    {
        PlatformProcess? master = null;
        await Wait.ForAsync(
            async () =>
            {
                var nodes = cluster.Nodes.ToList();
                var answers = await Task.WhenAll(nodes.Select(NodeCluster.IsMasterAsync));
                master = answers.Count(isMaster => isMaster) == 1 ? nodes[Array.IndexOf(answers, true)] : null;
                return master is not null;
            },
            Limit, () => "none, or several nodes, say that they are the master");
        return master!;
    }
}
