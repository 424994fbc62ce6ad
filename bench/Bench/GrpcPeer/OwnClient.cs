using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;

namespace Hexcast.Bench.GrpcPeer;

/// <summary>The load of <c>client.cc</c> from our own client: in memory, and where no C++ is to be built.</summary>
internal static class OwnClient
{
    public static Task<GrpcLoad> LoadAsync(ChannelBase channel, string kind, int inFlight, int bytes, TimeSpan time)
    {
        var client = new Echo.EchoClient(channel);
        var request = new EchoMessage { Data = ByteString.CopyFrom(new byte[bytes]), Count = long.MaxValue };
        return kind == "stream" ? StreamAsync(client, request, time) : UnaryAsync(client, request, inFlight, time);
    }

    private static async Task<GrpcLoad> UnaryAsync(
        Echo.EchoClient client, EchoMessage request, int inFlight, TimeSpan time)
    {
        var clock = TimeProvider.System;
        var times = new ConcurrentBag<TimeSpan>();
        var start = clock.GetTimestamp();
        async Task CallAsync()
        {
            while (clock.GetElapsedTime(start) < time)
            {
                var begin = clock.GetTimestamp();
                await client.UnaryAsync(request);
                times.Add(clock.GetElapsedTime(begin));
            }
        }

        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => CallAsync()));
        var perSecond = times.Count / clock.GetElapsedTime(start).TotalSeconds;
        var sorted = times.Order().ToList();
        long At(double part) => (long)sorted[(int)(part * (sorted.Count - 1))].TotalMicroseconds;
        return new GrpcLoad(perSecond, At(0.5), At(0.99));
    }

    private static async Task<GrpcLoad> StreamAsync(Echo.EchoClient client, EchoMessage request, TimeSpan time)
    {
        var clock = TimeProvider.System;
        using var call = client.Stream(request);
        var start = clock.GetTimestamp();
        var count = 0;
        while (clock.GetElapsedTime(start) < time && await call.ResponseStream.MoveNext())
        {
            count++;
        }

        return new GrpcLoad(count / clock.GetElapsedTime(start).TotalSeconds, 0, 0);
    }
}
