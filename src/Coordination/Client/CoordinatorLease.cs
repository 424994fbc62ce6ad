using Grpc.Core;
using Hexcast.Contracts.Etcd;
using Hexcast.Platform.Hosting;

namespace Hexcast.Coordination.Client;

/// <summary>
/// A lease that is renewed three times within its time; a renewal without an answer in such a third is made again, over
/// whichever member is in use then. <see cref="Lost"/> fires when the coordinator says that it is
/// over, or at the latest when its time has passed here without an answer: before anybody else can take it for over.
/// </summary>
public sealed class CoordinatorLease : IAsyncDisposable
{
    private const int Renewals = 3;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RevokeTime = TimeSpan.FromSeconds(1);

    private readonly Lease.LeaseClient _leases;
    private readonly TimeProvider _clock;
    private readonly Func<CancellationToken, Task> _proveQuorum;
    private readonly Func<long, CancellationToken, Task> _revoke;
    private readonly Backoff _backoff;
    private readonly CancellationTokenSource _lost;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    internal CoordinatorLease(
        Lease.LeaseClient leases,
        TimeProvider clock,
        long id,
        TimeSpan time,
        TimeSpan left,
        Func<CancellationToken, Task> proveQuorum,
        Func<long, CancellationToken, Task> revoke)
    {
        (_leases, _clock, _proveQuorum, _revoke) = (leases, clock, proveQuorum, revoke);
        (Id, Time) = (id, time);
        _backoff = new Backoff(FirstRetry, LongestRetry, clock);
        // Fires by itself unless every renewal sets it back.
        _lost = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock);
        _loop = KeepAliveAsync();
    }

    public long Id { get; }

    public TimeSpan Time { get; }

    public CancellationToken Lost => _lost.Token;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        using var limit = new CancellationTokenSource(RevokeTime, _clock);
        try
        {
            await _revoke(Id, limit.Token);
        }
        catch (Exception exception) when (exception is CoordinatorException or OperationCanceledException)
        {
            // It ends by itself when its time is over.
        }
        await _lost.CancelAsync();
        _lost.Dispose();
        _stop.Dispose();
    }

    private async Task KeepAliveAsync()
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, _lost.Token);
        while (!either.IsCancellationRequested)
        {
            try
            {
                using var call = _leases.LeaseKeepAlive(
                    new CallOptions(CoordinatorClient.WithQuorum(), cancellationToken: either.Token));
                while (await RenewAsync(call, either.Token))
                {
                    _backoff.Reset();
                    await Task.Delay(Time / Renewals, _clock, either.Token);
                }
            }
            catch (Exception exception) when (exception is RpcException or CoordinatorException
                or OperationCanceledException or IOException or InvalidOperationException)
            {
                await WaitAsync(either.Token);
            }
        }
    }

    private async Task<bool> RenewAsync(
        AsyncDuplexStreamingCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse> call, CancellationToken cancellation)
    {
        // Counted from before the request left: the coordinator's own count begins later, so it ends later.
        var asked = _clock.GetTimestamp();
        using var limit = new CancellationTokenSource(Time / Renewals, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        // A leader that has been cut off renews leases until it notices. The read is answered by one that leads after
        // `asked`; whoever follows it gives every lease its full time from its own beginning, which is later still.
        await _proveQuorum(either.Token);
        await call.RequestStream.WriteAsync(new LeaseKeepAliveRequest { ID = Id }, either.Token);
        if (!await call.ResponseStream.MoveNext(either.Token))
        {
            await WaitAsync(cancellation);
            return false;
        }
        if (call.ResponseStream.Current.TTL <= 0)
        {
            await _lost.CancelAsync();
            return false;
        }
        var left = Time - _clock.GetElapsedTime(asked);
        if (left > TimeSpan.Zero)
        {
            _lost.CancelAfter(left);
        }
        return true;
    }

    private async Task WaitAsync(CancellationToken cancellation)
    {
        try
        {
            await _backoff.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }
}
