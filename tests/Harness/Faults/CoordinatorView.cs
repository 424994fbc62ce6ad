using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Harness.Faults;

/// <summary>A coordinator as etcd's own clients see it, by one of its members.</summary>
public sealed class CoordinatorView : IDisposable
{
    private const string All = "/hexcast/";

    /// <summary>What a history is read up to; written each time.</summary>
    private const string Mark = "/hexcast/drill/mark";

    /// <summary>A whole matrix leaves more keys behind than one request may go through. So few that single rounds come
    /// to more than one page too.</summary>
    private const int KeysAtOnce = 250;

    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PutTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Reconnect = TimeSpan.FromMilliseconds(100);

    private readonly GrpcChannel channel;
    private readonly Metadata headers;

    private CoordinatorView(GrpcChannel channel, Metadata headers) =>
        (this.channel, this.headers, Kv) = (channel, headers, new KV.KVClient(channel.CreateCallInvoker()));

    private KV.KVClient Kv { get; }

    /// <summary>A node's own coordinator, in the clear.</summary>
    public static CoordinatorView Of(PlatformProcess node) =>
        new(GrpcChannel.ForAddress($"http://{node.Grpc}", Options()), []);

    /// <summary>A member of etcd, which takes whom the certificate names for its user.</summary>
    public static CoordinatorView Of(SecureEtcd etcd, EtcdMember member) =>
        new(GrpcChannel.ForAddress(member.Address, Options(etcd.RootHandler())), []);

    /// <summary>A member of an etcd without users.</summary>
    public static CoordinatorView Of(EtcdMember member) =>
        new(GrpcChannel.ForAddress(member.Address, Options()), []);

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

    /// <returns>Whether it was acknowledged within a second.</returns>
    public async Task<bool> TryPutAsync(string key, string value)
    {
        try
        {
            await PutAsync(key, value, PutTime);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    /// <returns>Null is nothing; linearizable.</returns>
    public async Task<string?> ReadOneAsync(string key, TimeSpan limit) => (await Kv.RangeAsync(
        new RangeRequest { Key = ByteString.CopyFromUtf8(key) }, headers, Deadline(limit)))
        .Kvs.SingleOrDefault()?.Value.ToStringUtf8();

    /// <summary>Writes if the value is the expected one; null: if there is none.</summary>
    public async Task<bool> SwapAsync(string key, string? expected, string value, TimeSpan limit)
    {
        var at = ByteString.CopyFromUtf8(key);
        var compare = expected is null
            ? new Compare { Key = at, Target = Compare.Types.CompareTarget.Create, CreateRevision = 0 }
            : new Compare
            {
                Key = at, Target = Compare.Types.CompareTarget.Value, Value = ByteString.CopyFromUtf8(expected),
            };
        var put = new PutRequest { Key = at, Value = ByteString.CopyFromUtf8(value) };
        var answer = await Kv.TxnAsync(
            new TxnRequest { Compare = { compare }, Success = { new RequestOp { RequestPut = put } } },
            headers, Deadline(limit));
        return answer.Succeeded;
    }

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

    /// <summary>Those that last just now.</summary>
    public async Task<int> CountLeasesAsync() => (await new Lease.LeaseClient(channel.CreateCallInvoker())
        .LeaseLeasesAsync(new LeaseLeasesRequest(), headers, Deadline())).Leases.Count;

    /// <summary>What that member has, whoever leads: null is nothing.</summary>
    public async Task<string?> ReadLocallyAsync(string key)
    {
        var answer = await Kv.RangeAsync(
            new RangeRequest { Key = ByteString.CopyFromUtf8(key), Serializable = true }, headers, Deadline());
        return answer.Kvs.SingleOrDefault()?.Value.ToStringUtf8();
    }

    /// <returns>Null also where it does not answer.</returns>
    public async Task<string?> TryReadLocallyAsync(string key)
    {
        try
        {
            return await ReadLocallyAsync(key);
        }
        catch (RpcException)
        {
            return null;
        }
    }

    /// <summary>All of them hold the same at one revision, each as it has it itself.</summary>
    public static async Task CheckAgreementAsync(IReadOnlyList<CoordinatorView> members)
    {
        var (newest, _) = await members[0].StandingAsync();
        IReadOnlyList<KeyValue>? first = null;
        foreach (var member in members)
        {
            await Wait.ForAsync(
                async () => await member.LocalRevisionAsync() >= newest,
                ReadTime, () => $"a member never comes to revision {newest}");
            var held = await member.PagesAsync(All, newest, isLocal: true);
            first ??= held;
            held.Except(first).Concat(first.Except(held)).ShouldBeEmpty($"members differ at revision {newest}");
        }
    }

    /// <summary>Keys below a prefix and their values, linearizable.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReadAsync(string prefix) =>
        (await RecordsAsync(prefix)).ToDictionary(
            pair => pair.Key.ToStringUtf8(), pair => pair.Value.ToStringUtf8(), StringComparer.Ordinal);

    /// <summary>The records below a prefix, linearizable.</summary>
    public Task<IReadOnlyList<KeyValue>> RecordsAsync(string prefix) => PagesAsync(prefix);

    /// <summary>Where the coordinator stands: the newest revision, and the mastership's fence; 0: nobody is.</summary>
    public async Task<(long Revision, long Fence)> StandingAsync()
    {
        var answer = await Kv.RangeAsync(
            new RangeRequest { Key = ByteString.CopyFromUtf8(JobHistory.ElectionKey) }, headers, Deadline());
        return (answer.Header.Revision, answer.Kvs.SingleOrDefault()?.CreateRevision ?? 0);
    }

    /// <summary>All that has happened since then, in order, up to now: a mark of its own is the end.</summary>
    public async Task<IReadOnlyList<Event>> HistoryAsync(long since)
    {
        var last = await MarkAsync();
        var events = new List<Event>();
        // etcd may answer a request for progress before it has sent what there was: only the events themselves count.
        using var watch = new Watch.WatchClient(channel.CreateCallInvoker()).Watch(headers, Deadline());
        await watch.RequestStream.WriteAsync(new WatchRequest
        {
            CreateRequest = new WatchCreateRequest
            {
                Key = ByteString.CopyFromUtf8(All), RangeEnd = EndOf(All), StartRevision = since + 1,
            },
        });
        while ((events.Count == 0 || events[^1].Kv.ModRevision < last) && await watch.ResponseStream.MoveNext(default))
        {
            var response = watch.ResponseStream.Current;
            response.Canceled.ShouldBeFalse(response.CancelReason);
            events.AddRange(response.Events);
        }

        (events.LastOrDefault()?.Kv.ModRevision ?? 0).ShouldBeGreaterThanOrEqualTo(last, "the watch ended before that");
        return events;
    }

    /// <summary>Holds the history against the invariants of <see cref="JobHistory"/>.</summary>
    /// <returns>How often the mastership changed hands.</returns>
    public static int CheckFences(IEnumerable<Event> history, long fence)
    {
        var held = new JobHistory(fence);
        foreach (var one in history)
        {
            held.Take(one);
        }

        return held.Changes;
    }

    public void Dispose() => channel.Dispose();

    /// <summary>Until it is acknowledged: there may be no leader just now.</summary>
    /// <returns>Its revision.</returns>
    private async Task<long> MarkAsync()
    {
        var revision = 0L;
        await Wait.ForAsync(
            async () =>
            {
                try
                {
                    var put = new PutRequest { Key = ByteString.CopyFromUtf8(Mark) };
                    revision = (await Kv.PutAsync(put, headers, Deadline(PutTime))).Header.Revision;
                    return true;
                }
                catch (RpcException)
                {
                    return false;
                }
            },
            ReadTime, () => "nobody takes the mark at the history's end");
        return revision;
    }

    /// <summary>All keys below a prefix as they are at one revision, in parts.</summary>
    /// <param name="revision">0: the newest.</param>
    /// <param name="isLocal">What that member itself has, whoever leads; otherwise linearizable.</param>
    private async Task<IReadOnlyList<KeyValue>> PagesAsync(string prefix, long revision = 0, bool isLocal = false)
    {
        var request = new RangeRequest
        {
            Key = ByteString.CopyFromUtf8(prefix), RangeEnd = EndOf(prefix), Serializable = isLocal,
            Revision = revision, Limit = KeysAtOnce,
        };
        var all = new List<KeyValue>();
        RangeResponse page;
        do
        {
            page = await Kv.RangeAsync(request, headers, Deadline());
            all.AddRange(page.Kvs);
            request.Revision = request.Revision > 0 ? request.Revision : page.Header.Revision;
            request.Key = page.More ? ByteString.CopyFrom([.. page.Kvs[^1].Key, 0]) : request.Key;
        }
        while (page.More);
        return all;
    }

    private async Task<long> LocalRevisionAsync() => (await Kv.RangeAsync(
        new RangeRequest { Key = ByteString.CopyFromUtf8(Mark), Serializable = true }, headers, Deadline()))
        .Header.Revision;

    /// <summary>It knows within a moment that a member is back.</summary>
    private static GrpcChannelOptions Options(HttpMessageHandler? handler = null) => new()
    {
        HttpHandler = handler,
        DisposeHttpClient = handler is not null,
        MaxReceiveMessageSize = null,
        InitialReconnectBackoff = Reconnect,
        MaxReconnectBackoff = Reconnect,
    };

    private static DateTime Deadline(TimeSpan? limit = null) =>
        TimeProvider.System.GetUtcNow().UtcDateTime + (limit ?? ReadTime);

    private static ByteString EndOf(string prefix) =>
        ByteString.CopyFromUtf8(prefix[..^1] + (char)(prefix[^1] + 1));
}
