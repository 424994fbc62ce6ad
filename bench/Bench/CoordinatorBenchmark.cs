using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Bench;

/// <summary>
/// Durable writes: three voters of the embedded coordinator, each a whole node, against an etcd of three members; on
/// the same disk and cores, one at rest while the other is asked, by the same client over plain HTTP/2, at whoever
/// leads.
/// </summary>
internal static class CoordinatorBenchmark
{
    private const int ValueBytes = 256;
    private const int Keys = 1_000;

    private static readonly int[] InFlight = [1, 16, 256];
    private static readonly TimeSpan LeaderLimit = TimeSpan.FromSeconds(30);

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
            await PutAsync(await LeaderAsync(own), InFlight[^1], time);
            await PutAsync(await LeaderAsync(theirs), InFlight[^1], time);
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
            var us = await PutAsync(await LeaderAsync(own), inFlight, time);
            var them = await PutAsync(await LeaderAsync(theirs), inFlight, time);
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
                $"values of {ValueBytes} B; {Environment.ProcessorCount} cores for three servers and the client, " +
                    "while the other three rest",
            ]);
    }

    private static async Task<NodeCluster> StartOursAsync(string folder) =>
        await NodeCluster.StartVotersAsync(Path.Combine(folder, "ours"));

    private static async Task<string> LeaderAsync(string[] addresses)
    {
        var clock = TimeProvider.System;
        for (var start = clock.GetTimestamp(); clock.GetElapsedTime(start) < LeaderLimit;)
        {
            foreach (var address in addresses)
            {
                using var channel = GrpcChannel.ForAddress(address);
                var status = await new Maintenance.MaintenanceClient(channel.CreateCallInvoker())
                    .StatusAsync(new StatusRequest());
                if (status.Leader == status.Header.MemberId)
                {
                    return address;
                }
            }
        }

        throw new InvalidOperationException($"None of {string.Join(", ", addresses)} leads.");
    }

    private static async Task<(double Rate, double P99)> PutAsync(string address, int inFlight, TimeSpan time)
    {
        using var channel = GrpcChannel.ForAddress(address);
        var kv = new KV.KVClient(channel.CreateCallInvoker());
        var value = ByteString.CopyFrom(new byte[ValueBytes]);
        var start = TimeProvider.System.GetTimestamp();
        var took = await Task.WhenAll(Enumerable.Range(0, inFlight).Select(async client =>
        {
            List<double> milliseconds = [];
            for (var i = 0; TimeProvider.System.GetElapsedTime(start) < time; i++)
            {
                var asked = TimeProvider.System.GetTimestamp();
                await kv.PutAsync(new PutRequest
                {
                    Key = ByteString.CopyFromUtf8($"/bench/{client}/{i % Keys}"), Value = value,
                });
                milliseconds.Add(TimeProvider.System.GetElapsedTime(asked).TotalMilliseconds);
            }

            return milliseconds;
        }));
        var elapsed = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        double[] all = [.. took.SelectMany(one => one).Order()];
        return (all.Length / elapsed, all[(int)(all.Length * 0.99)]);
    }
}
