using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Harness.Faults;

/// <summary>A coordinator as etcd's own clients see it, by one of its members.</summary>
public sealed class CoordinatorView : IDisposable
{
    private const string ElectionKey = "/hexcast/election/master";
    private const string TermKey = "/hexcast/terms/master";
    private const string MastersKeys = "/hexcast/jobs/";
    private const string All = "/hexcast/";

    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(10);

    private readonly GrpcChannel channel;
    private readonly Metadata headers;

    private CoordinatorView(GrpcChannel channel, Metadata headers) =>
        (this.channel, this.headers, Kv) = (channel, headers, new KV.KVClient(channel.CreateCallInvoker()));

    private KV.KVClient Kv { get; }

    /// <summary>A node's own coordinator, in the clear.</summary>
    public static CoordinatorView Of(PlatformProcess node) =>
        new(GrpcChannel.ForAddress($"http://{node.Grpc}"), []);

    /// <summary>A member of an etcd without users.</summary>
    public static CoordinatorView Of(EtcdMember member) => new(GrpcChannel.ForAddress(member.Address), []);

    /// <summary>It leads the others, as far as it knows.</summary>
    public async Task<bool> LeadsAsync()
    {
        var status = await new Maintenance.MaintenanceClient(channel.CreateCallInvoker()).StatusAsync(
            new StatusRequest(), headers, Deadline());
        return status.Leader == status.Header.MemberId;
    }

    /// <summary>Durable and committed when the task ends well.</summary>
    /// <exception cref="RpcException">It was not; or, where the limit was over, nobody knows.</exception>
    public async Task PutAsync(string key, string value, TimeSpan limit) => await Kv.PutAsync(
        new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) },
        headers, Deadline(limit));

    /// <summary>The same, for as long as a lease that nobody renews.</summary>
    public async Task PutLeasedAsync(string key, int seconds)
    {
        var lease = await new Lease.LeaseClient(channel.CreateCallInvoker()).LeaseGrantAsync(
            new LeaseGrantRequest { TTL = seconds }, headers, Deadline());
        await Kv.PutAsync(
            new PutRequest
            {
                Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8("leased"), Lease = lease.ID,
            },
            headers, Deadline());
    }

    /// <summary>What that member has, whoever leads: null is nothing.</summary>
    public async Task<string?> ReadLocallyAsync(string key)
    {
        var answer = await Kv.RangeAsync(
            new RangeRequest { Key = ByteString.CopyFromUtf8(key), Serializable = true }, headers, Deadline());
        return answer.Kvs.SingleOrDefault()?.Value.ToStringUtf8();
    }

    /// <summary>Keys below a prefix and their values, linearizable.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReadAsync(string prefix)
    {
        var answer = await Kv.RangeAsync(
            new RangeRequest { Key = ByteString.CopyFromUtf8(prefix), RangeEnd = EndOf(prefix) }, headers, Deadline());
        return answer.Kvs.ToDictionary(
            pair => pair.Key.ToStringUtf8(), pair => pair.Value.ToStringUtf8(), StringComparer.Ordinal);
    }

    /// <summary>Where the coordinator stands: the newest revision, and the mastership's fence; 0: nobody is.</summary>
    public async Task<(long Revision, long Fence)> StandingAsync()
    {
        var answer = await Kv.RangeAsync(
            new RangeRequest { Key = ByteString.CopyFromUtf8(ElectionKey) }, headers, Deadline());
        return (answer.Header.Revision, answer.Kvs.SingleOrDefault()?.CreateRevision ?? 0);
    }

    /// <summary>All that has happened since then, in order.</summary>
    public async Task<IReadOnlyList<Event>> HistoryAsync(long since)
    {
        var (last, _) = await StandingAsync();
        var events = new List<Event>();
        if (last <= since)
        {
            return events;
        }

        using var watch = new Watch.WatchClient(channel.CreateCallInvoker()).Watch(headers, Deadline());
        await watch.RequestStream.WriteAsync(new WatchRequest
        {
            CreateRequest = new WatchCreateRequest
            {
                Key = ByteString.CopyFromUtf8(All), RangeEnd = EndOf(All), StartRevision = since + 1,
                ProgressNotify = true,
            },
        });
        await watch.RequestStream.WriteAsync(new WatchRequest { ProgressRequest = new WatchProgressRequest() });
        while (await watch.ResponseStream.MoveNext(default))
        {
            var response = watch.ResponseStream.Current;
            response.Canceled.ShouldBeFalse(response.CancelReason);
            events.AddRange(response.Events);
            var isProgress = !response.Created && response.Events.Count == 0;
            if ((events.Count > 0 && events[^1].Kv.ModRevision >= last)
                || (isProgress && response.Header.Revision >= last))
            {
                break;
            }
        }

        return events;
    }

    /// <summary>
    /// Holds the history against I3: a term is begun by the mastership that is in force, once it is, and nothing is
    /// written of jobs between one mastership's end and the begin of the next one's term. So whoever was the master
    /// before has written nothing.
    /// </summary>
    /// <returns>How often the mastership changed hands.</returns>
    public static int CheckFences(IEnumerable<Event> history, long fence)
    {
        var changes = 0;
        var begun = fence > 0;
        foreach (var one in history)
        {
            var key = one.Kv.Key.ToStringUtf8();
            if (key == ElectionKey)
            {
                var next = one.Type == Event.Types.EventType.Delete ? 0 : one.Kv.CreateRevision;
                changes += next > 0 && next != fence ? 1 : 0;
                begun &= next == fence;
                fence = next;
            }
            else if (key == TermKey)
            {
                long.Parse(one.Kv.Value.ToStringUtf8(), CultureInfo.InvariantCulture).ShouldBe(
                    fence, $"at revision {one.Kv.ModRevision} another mastership than the one in force began a term");
                begun = true;
            }
            else if (key.StartsWith(MastersKeys, StringComparison.Ordinal))
            {
                begun.ShouldBeTrue($"{key} was written at revision {one.Kv.ModRevision} under no mastership's term");
            }
        }

        return changes;
    }

    public void Dispose() => channel.Dispose();

    private static DateTime Deadline(TimeSpan? limit = null) =>
        TimeProvider.System.GetUtcNow().UtcDateTime + (limit ?? ReadTime);

    private static ByteString EndOf(string prefix) =>
        ByteString.CopyFromUtf8(prefix[..^1] + (char)(prefix[^1] + 1));
}
