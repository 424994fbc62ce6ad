using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Drills.Power;

/// <summary>
/// Writes to the coordinator by etcd's wire, several at a time, and remembers of each key what was asked for and what
/// was acknowledged. Each key has one writer, and each value is larger than the one before.
/// </summary>
internal sealed class PutLedger
{
    private const int Writers = 4;
    private const int KeysOfAWriter = 32;
    private const string Prefix = "/drill/";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BeginLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Written> keys = new(StringComparer.Ordinal);
    private readonly Lock turn = new();
    private readonly TimeProvider clock = TimeProvider.System;
    private long lastValue;
    private long lastRevision;

    /// <param name="Asked">The newest value that may be there.</param>
    /// <param name="Acknowledged">The oldest value that may be there; 0: none was acknowledged.</param>
    /// <param name="Revision">Of the acknowledged one.</param>
    private sealed record Written(long Asked, long Acknowledged, long Revision);

    public int Acknowledged { get; private set; }

    /// <summary>Until one more is acknowledged than there were: the load is on.</summary>
    public Task WaitForMoreAsync(int than) => Wait.ForAsync(
        () => Task.FromResult(Acknowledged > than), BeginLimit, () => "nothing is acknowledged");

    /// <summary>Writes until it is told to stop.</summary>
    public async Task WriteAsync(string address, CancellationToken stop)
    {
        using var channel = GrpcChannel.ForAddress($"http://{address}");
        var kv = new KV.KVClient(channel.CreateCallInvoker());
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => WriteAsync(kv, writer, stop)));
    }

    /// <summary>All that was acknowledged is there, at the revision that was named, or what was asked for since.
    /// </summary>
    public async Task CheckAsync(string address)
    {
        var range = await ReadAsync(address);
        var found = range.Kvs.ToDictionary(kv => kv.Key.ToStringUtf8(), StringComparer.Ordinal);
        if (range.Header.Revision < lastRevision)
        {
            throw new LostException(
                $"the store is at revision {range.Header.Revision}, {lastRevision} was acknowledged");
        }

        foreach (var (key, written) in keys)
        {
            var value = found.TryGetValue(key, out var kv) ? long.Parse(kv.Value.ToStringUtf8()) : 0;
            if (value < written.Acknowledged || value > written.Asked
                || (value == written.Acknowledged && value > 0 && kv!.ModRevision != written.Revision))
            {
                throw new LostException(
                    $"{key} has {value} at revision {kv?.ModRevision}; of it are known: {written}");
            }

            // What is there is settled now: a later look must not find an older one.
            keys[key] = new Written(value, value, kv?.ModRevision ?? 0);
        }
    }

    private static async Task<RangeResponse> ReadAsync(string address)
    {
        using var channel = GrpcChannel.ForAddress($"http://{address}");
        var kv = new KV.KVClient(channel.CreateCallInvoker());
        RangeResponse? range = null;
        RpcException? last = null;
        await Wait.ForAsync(
            async () =>
            {
                try
                {
                    range = await kv.RangeAsync(new RangeRequest
                    {
                        Key = ByteString.CopyFromUtf8(Prefix), RangeEnd = ByteString.CopyFromUtf8(Prefix[..^1] + "0"),
                    });
                }
                catch (RpcException refused) when (refused.StatusCode == StatusCode.Unavailable)
                {
                    // Somebody is being elected.
                    last = refused;
                }

                return range is not null;
            },
            BeginLimit, () => $"the store cannot be read: {last}");
        return range!;
    }

    private async Task WriteAsync(KV.KVClient kv, int writer, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var key = $"{Prefix}{writer}/{i % KeysOfAWriter}";
            var value = Interlocked.Increment(ref lastValue);
            lock (turn)
            {
                keys[key] = keys.GetValueOrDefault(key, new Written(0, 0, 0)) with { Asked = value };
            }

            try
            {
                var deadline = clock.GetUtcNow().UtcDateTime + AnswerTime;
                var put = await kv.PutAsync(
                    new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8($"{value}") },
                    deadline: deadline, cancellationToken: stop);
                lock (turn)
                {
                    keys[key] = new Written(value, value, put.Header.Revision);
                    lastRevision = Math.Max(lastRevision, put.Header.Revision);
                    Acknowledged++;
                }
            }
            catch (RpcException)
            {
                // Its fate is open: the power is gone, or nobody leads just now.
                await Task.WhenAny(Task.Delay(Pause, clock, stop));
            }
        }
    }
}
