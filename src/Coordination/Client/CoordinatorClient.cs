using Google.Protobuf;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;

namespace Hexcast.Coordination.Client;

/// <summary>
/// The etcd v3 client of every role: keys are strings, values bytes. Works the same against the embedded coordinator
/// and a real etcd 3.4. Calls are not retried here: whether a write that timed out may be repeated only its caller
/// knows.
/// </summary>
/// <remarks>Every method throws <see cref="CoordinatorException"/> with the reason's name.</remarks>
public sealed class CoordinatorClient(CallInvoker invoker, TimeProvider clock)
{
    /// <summary>The key that names the master. Its create revision is the mastership's fence.</summary>
    public const string ElectionKey = StateMachine.ElectionKeyText;

    /// <summary>Bytes that one request may have.</summary>
    public const int MaximumRequestBytes = RequestRules.MaximumRequestBytes;

    private const int PageKeys = 1_024;

    private const int ReadAttempts = 5;

    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(10);

    private readonly KV.KVClient _kv = new(invoker);
    private readonly Lease.LeaseClient _leases = new(invoker);
    private readonly Watch.WatchClient _watches = new(invoker);

    public async Task<CoordinatorKeyValue?> GetAsync(string key, CancellationToken cancellation)
    {
        var response = await Call(_kv.RangeAsync, new RangeRequest { Key = KeyBytes.Of(key) }, cancellation);
        return response.Kvs.Count == 0 ? null : CoordinatorKeyValue.From(response.Kvs[0]);
    }

    /// <summary>Everything that begins with the prefix, in key order, read page by page at one revision.</summary>
    public async Task<CoordinatorRange> RangeAsync(string prefix, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ReadPagesAsync(prefix, cancellation);
            }
            catch (CoordinatorException exception)
                when (exception.Error == CoordinatorError.Compacted && attempt < ReadAttempts)
            {
                // The revision was compacted between two pages; a new one is as good.
            }
        }
    }

    /// <returns>The revision of the write.</returns>
    public async Task<long> PutAsync(
        string key, ByteString value, CancellationToken cancellation, long leaseId = 0)
    {
        var request = new PutRequest { Key = KeyBytes.Of(key), Value = value, Lease = leaseId };
        return (await Call(_kv.PutAsync, request, cancellation)).Header.Revision;
    }

    /// <returns>Whether the key was there.</returns>
    public async Task<bool> DeleteAsync(string key, CancellationToken cancellation)
    {
        var request = new DeleteRangeRequest { Key = KeyBytes.Of(key) };
        return (await Call(_kv.DeleteRangeAsync, request, cancellation)).Deleted > 0;
    }

    /// <returns>How many keys were there.</returns>
    public async Task<long> DeletePrefixAsync(string prefix, CancellationToken cancellation)
    {
        var (key, end) = KeyBytes.Prefix(prefix);
        var request = new DeleteRangeRequest { Key = key, RangeEnd = end };
        return (await Call(_kv.DeleteRangeAsync, request, cancellation)).Deleted;
    }

    /// <summary>Runs <paramref name="success"/> if every guard holds, otherwise <paramref name="failure"/>.</summary>
    public async Task<CoordinatorTxnResult> TxnAsync(
        IEnumerable<Compare> guards,
        IEnumerable<Operation> success,
        IEnumerable<Operation> failure,
        CancellationToken cancellation)
    {
        var request = new TxnRequest();
        request.Compare.AddRange(guards.Select(guard => guard.Message));
        request.Success.AddRange(success.Select(operation => operation.Message));
        request.Failure.AddRange(failure.Select(operation => operation.Message));
        var response = await Call(_kv.TxnAsync, request, cancellation);
        return new CoordinatorTxnResult(
            response.Succeeded, response.Header.Revision, [.. response.Responses.Select(ResultOf)]);
    }

    public Task<CoordinatorTxnResult> TxnAsync(
        IEnumerable<Compare> guards, IEnumerable<Operation> success, CancellationToken cancellation) =>
        TxnAsync(guards, success, [], cancellation);

    /// <summary>Forgets the versions before the revision; watches can no longer start below it.</summary>
    public Task CompactAsync(long revision, CancellationToken cancellation) =>
        Call(_kv.CompactAsync, new CompactionRequest { Revision = revision }, cancellation);

    /// <summary>A lease that is kept alive until it is disposed of, which also revokes it.</summary>
    /// <param name="time">Whole seconds; the coordinator raises less than 2 s to 2 s.</param>
    public async Task<CoordinatorLease> GrantLeaseAsync(TimeSpan time, CancellationToken cancellation)
    {
        // Counted from before the request left: the coordinator's own count begins later, so it ends later.
        var asked = clock.GetTimestamp();
        var granted = await GrantLeaseIdAsync(time, cancellation);
        var left = granted.Time - clock.GetElapsedTime(asked);
        return new CoordinatorLease(_leases, clock, granted.Id, granted.Time, left, ProveQuorumAsync, RevokeLeaseAsync);
    }

    /// <summary>A lease that nobody keeps alive.</summary>
    public async Task<(long Id, TimeSpan Time)> GrantLeaseIdAsync(TimeSpan time, CancellationToken cancellation)
    {
        var request = new LeaseGrantRequest { TTL = (long)Math.Ceiling(time.TotalSeconds) };
        var response = await Call(_leases.LeaseGrantAsync, request, cancellation);
        return (response.ID, TimeSpan.FromSeconds(response.TTL));
    }

    /// <summary>Ends the lease and deletes its keys.</summary>
    public Task RevokeLeaseAsync(long leaseId, CancellationToken cancellation) =>
        Call(_leases.LeaseRevokeAsync, new LeaseRevokeRequest { ID = leaseId }, cancellation);

    /// <summary>
    /// Everything under the prefix from a revision on, for ever: reconnects and resumes by itself. From revision 0 on
    /// it begins with a <see cref="WatchBatch.Resync"/>; another one comes only if changes were compacted in between.
    /// </summary>
    public IAsyncEnumerable<WatchBatch> WatchAsync(
        string prefix, long fromRevision, CancellationToken cancellation) =>
        WatchOf(prefix).ReadAsync(fromRevision, cancellation);

    /// <summary>
    /// One key as every change leaves it, for ever; null: it does not exist. The first is as it is now.
    /// </summary>
    public IAsyncEnumerable<CoordinatorKeyValue?> WatchKeyAsync(string key, CancellationToken cancellation) =>
        OfKeyAsync(key, WatchAsync(key, 0, cancellation));

    /// <summary>The same, until the connection ends: from then on nobody tells how the key is left.</summary>
    public IAsyncEnumerable<CoordinatorKeyValue?> WatchKeyOnceAsync(string key, CancellationToken cancellation) =>
        OfKeyAsync(key, WatchOf(key).ReadOnceAsync(cancellation));

    /// <summary>A stream by a member that has lost the others ends, rather than to be kept open and silent.</summary>
    internal static Metadata WithQuorum() => new() { { "hasleader", "true" } };

    private CoordinatorWatch WatchOf(string prefix) => new(_watches, RangeAsync, clock, prefix);

    private static async IAsyncEnumerable<CoordinatorKeyValue?> OfKeyAsync(
        string key, IAsyncEnumerable<WatchBatch> batches)
    {
        await foreach (var batch in batches)
        {
            // The watch is of a prefix: longer keys come too.
            if (batch is WatchBatch.Resync resync)
            {
                yield return resync.KeyValues.FirstOrDefault(value => value.Key == key);
            }
            else if (batch is WatchBatch.Changes changes &&
                changes.Events.LastOrDefault(change => change.KeyValue.Key == key) is { } last)
            {
                yield return last.Kind == WatchEventKind.Delete ? null : last.KeyValue;
            }
        }
    }

    private Task<RangeResponse> ProveQuorumAsync(CancellationToken cancellation) =>
        Call(_kv.RangeAsync, new RangeRequest { Key = KeyBytes.Of(ElectionKey), CountOnly = true }, cancellation);

    private async Task<CoordinatorRange> ReadPagesAsync(string prefix, CancellationToken cancellation)
    {
        var (key, end) = KeyBytes.Prefix(prefix);
        var request = new RangeRequest { Key = key, RangeEnd = end, Limit = PageKeys };
        var all = new List<CoordinatorKeyValue>();
        while (true)
        {
            RangeResponse page;
            try
            {
                page = await Call(_kv.RangeAsync, request, cancellation);
            }
            catch (CoordinatorException exception)
                when (exception.Error == CoordinatorError.RequestTooLarge && request.Limit > 1)
            {
                // The page is more than a message may hold.
                request.Limit /= 2;
                continue;
            }
            if (request.Revision == 0)
            {
                request.Revision = page.Header.Revision;
            }
            all.AddRange(page.Kvs.Select(CoordinatorKeyValue.From));
            if (!page.More || page.Kvs.Count == 0)
            {
                return new CoordinatorRange(request.Revision, all);
            }
            request.Key = ByteString.CopyFrom([.. page.Kvs[^1].Key.Span, 0]);
        }
    }

    private async Task<TResponse> Call<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> method, TRequest request, CancellationToken cancellation)
    {
        try
        {
            var deadline = clock.GetUtcNow().UtcDateTime + CallTime;
            return await method(request, new CallOptions(deadline: deadline, cancellationToken: cancellation));
        }
        catch (RpcException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (RpcException exception)
        {
            throw CoordinatorErrors.Translate(exception);
        }
    }

    private static CoordinatorOperationResult ResultOf(ResponseOp response) => response.ResponseCase switch
    {
        ResponseOp.ResponseOneofCase.ResponseRange =>
            new([.. response.ResponseRange.Kvs.Select(CoordinatorKeyValue.From)], Deleted: 0),
        ResponseOp.ResponseOneofCase.ResponseDeleteRange => new([], response.ResponseDeleteRange.Deleted),
        _ => new([], Deleted: 0),
    };
}
