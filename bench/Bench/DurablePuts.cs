using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Bench;

/// <summary>Puts by clients that each wait for their answer before the next, at whoever leads.</summary>
internal static class DurablePuts
{
    public const int ValueBytes = 256;
    private const int Keys = 1_000;

    private static readonly TimeSpan LeaderLimit = TimeSpan.FromSeconds(30);

    /// <summary>Whose member leads.</summary>
    public static async Task<string> LeaderAsync(string[] addresses)
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

    public static async Task<(double Rate, double P99)> RunAsync(string address, int inFlight, TimeSpan time)
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
