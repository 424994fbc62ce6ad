using System.Runtime.CompilerServices;
using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Platform.Hosting;

namespace Hexcast.Coordination.Client;

/// <summary>
/// One watch over as many connections as it takes. The next revision that it needs is all it remembers: a connection
/// starts there, and where the coordinator answers that it is compacted, a snapshot takes the place of the changes.
/// </summary>
internal sealed class CoordinatorWatch(
    Watch.WatchClient watches,
    Func<string, CancellationToken, Task<CoordinatorRange>> readRange,
    TimeProvider clock,
    string prefix)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(1);

    /// <summary>A silent stream is asked for its progress this often; unanswered three times, it is taken for
    /// dead.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(20);

    private const int SilentIntervals = 3;

    private readonly Backoff _backoff = new(FirstRetry, LongestRetry, clock);

    // What the reader needs next; 0 is a snapshot.
    private long _next;

    public async IAsyncEnumerable<WatchBatch> ReadAsync(
        long fromRevision, [EnumeratorCancellation] CancellationToken cancellation)
    {
        _next = fromRevision;
        while (true)
        {
            await foreach (var batch in ReadOnceAsync(cancellation))
            {
                yield return batch;
            }
            if (_next != 0)
            {
                await _backoff.WaitAsync(cancellation);
            }
        }
    }

    /// <summary>Over one connection, until it ends.</summary>
    public async IAsyncEnumerable<WatchBatch> ReadOnceAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        if (_next == 0)
        {
            var snapshot = await ReadSnapshotAsync(cancellation);
            _next = snapshot.Revision + 1;
            yield return new WatchBatch.Resync(snapshot.Revision, snapshot.KeyValues);
        }
        using var call = Open(cancellation);
        var events = new List<WatchEvent>();
        var asked = false;
        while (call is not null && await NextAsync(call, asked, cancellation) is { } response)
        {
            asked = true;
            events.AddRange(response.Events.Select(EventOf));
            if (response.Fragment || events.Count == 0)
            {
                continue;
            }
            // Not the header's revision: a replay may still have to send what lies below it.
            var last = events[^1].KeyValue.ModRevision;
            _next = last + 1;
            _backoff.Reset();
            yield return new WatchBatch.Changes(last, [.. events]);
            events.Clear();
        }
    }

    /// <summary>Null: no member can be used now.</summary>
    private AsyncDuplexStreamingCall<WatchRequest, WatchResponse>? Open(CancellationToken cancellation)
    {
        try
        {
            return watches.Watch(new CallOptions(CoordinatorClient.WithQuorum(), cancellationToken: cancellation));
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The next response, or null if another connection has to go on.</summary>
    private async Task<WatchResponse?> NextAsync(
        AsyncDuplexStreamingCall<WatchRequest, WatchResponse> call, bool asked, CancellationToken cancellation)
    {
        try
        {
            if (!asked)
            {
                await call.RequestStream.WriteAsync(CreateRequest(), cancellation);
            }
            if (!await MoveNextAsync(call, cancellation))
            {
                return null;
            }
        }
        catch (Exception exception) when (exception is RpcException or IOException or InvalidOperationException)
        {
            cancellation.ThrowIfCancellationRequested();
            if (exception is RpcException { StatusCode: StatusCode.Unimplemented } refusal)
            {
                throw CoordinatorErrors.Translate(refusal);
            }
            return null;
        }
        var response = call.ResponseStream.Current;
        if (response.CompactRevision > 0)
        {
            _next = 0;
            return null;
        }
        if (response.Canceled && response.CancelReason.Contains("permission denied", StringComparison.Ordinal))
        {
            await ConfirmAsync(cancellation);
        }
        return response.Canceled ? null : response;
    }

    // etcd says the same of a token that has ended, which a read renews.
    private async Task ConfirmAsync(CancellationToken cancellation)
    {
        try
        {
            await readRange(prefix, cancellation);
        }
        catch (CoordinatorException)
        {
            // Another connection goes on, when this may be read again.
        }
    }

    private async Task<bool> MoveNextAsync(
        AsyncDuplexStreamingCall<WatchRequest, WatchResponse> call, CancellationToken cancellation)
    {
        var read = call.ResponseStream.MoveNext(cancellation);
        for (var silent = 0; ; silent++)
        {
            using var waited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var interval = Task.Delay(ProgressInterval, clock, waited.Token);
            if (await Task.WhenAny(read, interval) == read)
            {
                await waited.CancelAsync();
                return await read;
            }
            cancellation.ThrowIfCancellationRequested();
            if (silent == SilentIntervals)
            {
                // Disposing of the call ends the read.
                return false;
            }
            await call.RequestStream.WriteAsync(
                new WatchRequest { ProgressRequest = new WatchProgressRequest() }, cancellation);
        }
    }

    private async Task<CoordinatorRange> ReadSnapshotAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await readRange(prefix, cancellation);
            }
            catch (CoordinatorException exception)
                when (exception.Error is CoordinatorError.Unavailable or CoordinatorError.DeadlineExceeded
                    or CoordinatorError.Stopped or CoordinatorError.TooManyRequests
                    or CoordinatorError.Compacted or CoordinatorError.Other
                    || CoordinatorErrors.IsOfAccess(exception.Error))
            {
                await _backoff.WaitAsync(cancellation);
            }
        }
    }

    private WatchRequest CreateRequest()
    {
        var (key, end) = KeyBytes.Prefix(prefix);
        return new WatchRequest
        {
            CreateRequest = new WatchCreateRequest
            {
                Key = key,
                RangeEnd = end,
                StartRevision = _next,
                Fragment = true,
            },
        };
    }

    private static WatchEvent EventOf(Event change) => new(
        change.Type == Event.Types.EventType.Put ? WatchEventKind.Put : WatchEventKind.Delete,
        CoordinatorKeyValue.From(change.Kv));
}
