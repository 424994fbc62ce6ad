using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Bench.GrpcPeer;

namespace Hexcast.Bench;

/// <summary>
/// The echo service on this project's gRPC against the same on gRPC C++ and on grpcio, each in a process of its own,
/// in turn under the same client, which is gRPC C++'s; and our own client in memory against TCP. In short nothing of
/// C++ is built: the client is our own, the peer grpcio.
/// </summary>
internal static class GrpcBenchmark
{
    private const int SmallBytes = 100, LargeBytes = 1_000_000;
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(4), ShortRunTime = TimeSpan.FromSeconds(0.2);

    private static readonly Load[] Loads =
    [
        new("unary-1", "unary", 1, SmallBytes, "1 call in flight"),
        new("unary-16", "unary", 16, SmallBytes, "16 calls in flight"),
        new("unary-256", "unary", 256, SmallBytes, "256 calls in flight"),
        new("stream", "stream", 1, SmallBytes, "messages of one stream from the server"),
        new("large", "unary", 8, LargeBytes, "1 MB there and back, 8 in flight"),
    ];

    public static async Task<IReadOnlyList<IReport>> RunAsync(Extent extent)
    {
        using var folder = new TempFolder();
        await using var ours = await GrpcPeers.StartOursAsync();
        await using var python = await GrpcPeers.StartPythonAsync();
        await using var cpp = extent.Short ? null : await GrpcPeers.BuildAndStartCppAsync(folder.Path);
        var client = cpp is null ? null : folder.Path;
        var time = extent.Of(RunTime, ShortRunTime);
        var reports = new List<IReport>();
        foreach (var load in Loads)
        {
            foreach (var peer in new[] { cpp, python }.OfType<GrpcProcess>())
            {
                var mine = new Side(client, ours, load, time);
                var theirs = new Side(client, peer, load, time);
                var pairs = new List<Pair>();
                await mine.RunAsync();
                await theirs.RunAsync();
                for (var i = 0; i < extent.Pairs; i++)
                {
                    pairs.Add(new Pair(await mine.MeasureAsync(), await theirs.MeasureAsync()));
                    Console.Error.WriteLine(
                        $"{load.Name}, pair {i + 1} of {extent.Pairs}: {pairs[^1].Ours:0} and {pairs[^1].Peer:0}");
                }

                reports.Add(new Figures(
                    $"grpc-{load.Name} against {peer.Name}", load.Says, $"a {peer.Name} server under the same client",
                    load.Kind == "stream" ? "messages/s" : "calls/s", Aim.AtLeast(1), pairs,
                    [mine.Says(), theirs.Says()]));
            }
        }

        reports.Add(await InMemoryAsync(extent, time));
        return reports;
    }

    private static async Task<IReport> InMemoryAsync(Extent extent, TimeSpan time)
    {
        await using var server = await GrpcServer.StartAsync();
        using var memory = server.Memory.CreateChannel(new GrpcChannelOptions());
        using var tcp = GrpcChannel.ForAddress($"http://127.0.0.1:{server.Port}");
        await CallsPerSecondAsync(memory, time);
        await CallsPerSecondAsync(tcp, time);
        var pairs = new List<Pair>();
        for (var i = 0; i < extent.Pairs; i++)
        {
            pairs.Add(new Pair(await CallsPerSecondAsync(memory, time), await CallsPerSecondAsync(tcp, time)));
        }

        var (count, bytes) = await AllocationAsync(memory, extent.Of(500_000, 10_000));
        return new Figures(
            "grpc-in-memory", "our client in memory, 16 calls in flight", "our client over TCP to the same server",
            "calls/s", Aim.AtLeast(1), pairs,
            [
                $"a stream of {count} messages of {SmallBytes} bytes in memory: {bytes:0} bytes allocated a message, " +
                    $"both sides together, of which the message that the client parses is {ParsedBytes()}",
            ]);
    }

    private static async Task<double> CallsPerSecondAsync(ChannelBase channel, TimeSpan time) =>
        (await OwnClient.LoadAsync(channel, "unary", inFlight: 16, SmallBytes, time)).PerSecond;

    private static async Task<(int Count, double Bytes)> AllocationAsync(ChannelBase channel, int count)
    {
        var client = new Echo.EchoClient(channel);
        var request = new EchoMessage { Data = ByteString.CopyFrom(new byte[SmallBytes]), Count = 2L * count };
        using var call = client.Stream(request);
        var before = 0L;
        for (var i = 0; i < 2 * count; i++)
        {
            // The first half warms up.
            before = i == count ? GC.GetTotalAllocatedBytes(precise: true) : before;
            await call.ResponseStream.MoveNext();
        }

        return (count, (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / count);
    }

    private static long ParsedBytes()
    {
        var bytes = new EchoMessage { Data = ByteString.CopyFrom(new byte[SmallBytes]) }.ToByteArray();
        const int times = 50_000;
        var before = 0L;
        for (var i = 0; i < 2 * times; i++)
        {
            // The first half warms up: code that is not yet optimized allocates more.
            before = i == times ? GC.GetAllocatedBytesForCurrentThread() : before;
            EchoMessage.Parser.ParseFrom(bytes);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / times;
    }

    private sealed record Load(string Name, string Kind, int InFlight, int Bytes, string Says);

    /// <summary>One server under one load, and what all its runs came to.</summary>
    /// <param name="client">The folder of the C++ client; null for our own.</param>
    /// <param name="server">The server.</param>
    /// <param name="load">The load.</param>
    /// <param name="time">Of one run.</param>
    private sealed class Side(string? client, GrpcProcess server, Load load, TimeSpan time)
    {
        private readonly List<GrpcLoad> results = [];
        private double cpuSeconds;

        public async Task<double> MeasureAsync()
        {
            var before = ProcessUse.CpuSeconds(server.ProcessId);
            results.Add(await RunAsync());
            cpuSeconds += ProcessUse.CpuSeconds(server.ProcessId) - before;
            return results[^1].PerSecond;
        }

        public string Says()
        {
            var count = results.Sum(result => result.PerSecond * time.TotalSeconds);
            var each = $"{cpuSeconds * 1e6 / count:0.0} µs of processor time";
            return load.Kind == "stream"
                ? $"{server.Name}: {each} a message"
                : $"{server.Name}: p50 {Figures.Median(results.Select(r => r.P50 / 1000.0)):0.00} ms, " +
                    $"p99 {Figures.Median(results.Select(r => r.P99 / 1000.0)):0.00} ms; {each} a call";
        }

        public async Task<GrpcLoad> RunAsync()
        {
            if (client is not null)
            {
                return await GrpcPeers.LoadAsync(client, server.Port, load.Kind, load.InFlight, load.Bytes, time);
            }

            using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{server.Port}");
            return await OwnClient.LoadAsync(channel, load.Kind, load.InFlight, load.Bytes, time);
        }
    }
}
