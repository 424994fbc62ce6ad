using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>
/// A channel's ways to its servers. Calls pick one before they are sent; HttpClient's own pool of that address carries
/// them, and asks here for its connections. All state is under one lock; what takes time happens outside of it.
/// </summary>
sealed class ChannelConnections : IDisposable
{
    const int RandomSteps = 1 << 20;
    static readonly TimeSpan MinWait = TimeSpan.FromMilliseconds(1);

    readonly Lock _gate = new();
    readonly CancellationTokenSource _stop = new();
    readonly Resolver _resolver;
    readonly PickPolicy _policy;
    readonly GrpcChannelOptions _options;
    readonly string _scheme;
    readonly TimeSpan _connectTimeout;
    readonly ITimer _retryTimer;
    IReadOnlyList<Subchannel> _subchannels = [];
    Status? _resolverFailure;
    TaskCompletionSource _changed = NewSignal();
    int _waiting;
    bool _isActive;
    bool _isDisposed;

    public ChannelConnections(
        Resolver resolver, PickPolicy policy, GrpcChannelOptions options, string scheme, TimeSpan connectTimeout)
    {
        _resolver = resolver;
        _policy = policy;
        _options = options;
        _scheme = scheme;
        _connectTimeout = connectTimeout;
        _retryTimer = options.TimeProvider.CreateTimer(
            _ => OnRetryDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        resolver.Start(OnResolved);
    }

    public ConnectivityState State
    {
        get
        {
            lock (_gate)
                return CurrentState();
        }
    }

    /// <summary>The base address of a server that is ready; connects where none is.</summary>
    /// <exception cref="RpcException">UNAVAILABLE: none can be reached, and the call does not wait.</exception>
    public ValueTask<Uri> PickAsync(bool waitForReady, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_policy.Pick(_subchannels) is { } ready)
                return new(ready.BaseUri);
            // Where there is no choice, HttpClient connects at once for the call itself.
            if (_subchannels is [{ State: ConnectivityState.Idle } only] && !_isDisposed)
                return new(only.BaseUri);
        }

        return WaitAsync(waitForReady, cancellationToken);
    }

    public async Task ConnectAsync(CancellationToken cancellationToken) =>
        await WaitAsync(waitForReady: true, cancellationToken);

    public async Task WaitForStateChangedAsync(ConnectivityState last, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (CurrentState() != last)
                    return;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Fits <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    public async ValueTask<Stream> OpenAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Subchannel? subchannel;
        Stream? stream;
        lock (_gate)
        {
            subchannel = _subchannels.FirstOrDefault(one => one.EndPoint.Equals(context.DnsEndPoint));
            stream = subchannel is null ? null : TakeParked(subchannel);
            if (stream is null && subchannel is { State: ConnectivityState.Idle })
            {
                subchannel.Start(Now, Random());
                Pulse();
            }
        }

        if (subchannel is null)
            return await ConnectTcpAsync(context.DnsEndPoint, cancellationToken);
        try
        {
            stream ??= await ConnectTcpAsync(subchannel.EndPoint, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            lock (_gate)
            {
                if (subchannel.State != ConnectivityState.Connecting)
                    subchannel.Start(Now, Random());
            }

            OnConnectFailed(subchannel, e);
            throw;
        }

        lock (_gate)
        {
            subchannel.OpenConnections++;
            subchannel.OnConnected();
            Pulse();
        }

        return new TrackedStream(stream, () => OnProved(subchannel), () => OnClosed(subchannel));
    }

    public void Dispose()
    {
        List<Stream> parked;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            parked = [.. _subchannels.SelectMany(one => one.Parked)];
            Pulse();
        }

        _stop.Cancel();
        _stop.Dispose();
        _retryTimer.Dispose();
        _resolver.Dispose();
        foreach (var stream in parked)
            stream.Dispose();
    }

    async ValueTask<Uri> WaitAsync(bool waitForReady, CancellationToken cancellationToken)
    {
        var isWake = true;
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                if (_policy.Pick(_subchannels) is { } ready)
                    return ready.BaseUri;
                _isActive = true;
                Connect(isWake);
                if (!waitForReady && FailureOfAll() is { } failure)
                    throw new RpcException(failure);
                changed = _changed.Task;
                _waiting++;
                ArmRetry();
            }

            try
            {
                await changed.WaitAsync(cancellationToken);
            }
            finally
            {
                lock (_gate)
                    _waiting--;
            }

            // What fails from here on is tried again when its wait is over, and not by every call that waits.
            isWake = false;
        }
    }

    async Task ConnectAsync(Subchannel subchannel, CancellationToken stop)
    {
        // The caller holds the lock.
        await Task.Yield();
        try
        {
            using var limit = new CancellationTokenSource(_connectTimeout, _options.TimeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
            var stream = await ConnectTcpAsync(subchannel.EndPoint, either.Token);
            lock (_gate)
            {
                if (!_isDisposed)
                {
                    subchannel.Parked.Enqueue(stream);
                    subchannel.OnConnected();
                    Pulse();
                    return;
                }
            }

            await stream.DisposeAsync();
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            OnConnectFailed(subchannel, e);
        }
    }

    void OnConnectFailed(Subchannel subchannel, Exception e)
    {
        var endPoint = subchannel.EndPoint;
        var reason = e is OperationCanceledException ? $"no answer within {_connectTimeout}" : e.Message;
        lock (_gate)
        {
            subchannel.OnFailed(new Status(
                StatusCode.Unavailable, $"{endPoint.Host}:{endPoint.Port} cannot be reached: {reason}", e));
            AfterLoss();
        }

        _resolver.Refresh();
    }

    void OnProved(Subchannel subchannel)
    {
        lock (_gate)
            subchannel.OnProved();
    }

    void OnClosed(Subchannel subchannel)
    {
        lock (_gate)
        {
            if (--subchannel.OpenConnections > 0 || subchannel.Parked.Count > 0 || _isDisposed)
                return;
            subchannel.OnLost(Now);
            AfterLoss();
        }

        _resolver.Refresh();
    }

    void OnResolved(ResolverResult result)
    {
        List<Stream> dropped;
        lock (_gate)
        {
            _resolverFailure = result.Addresses.Count > 0 ? null
                : result.Status.StatusCode == StatusCode.OK
                    ? new Status(StatusCode.Unavailable, "The resolver knows no address.")
                    : result.Status;
            // A failure does not make the addresses that were known wrong.
            if (result.Addresses.Count == 0 && result.Status.StatusCode != StatusCode.OK)
            {
                Pulse();
                return;
            }

            var before = _subchannels;
            _subchannels =
            [
                .. result.Addresses.Select(address =>
                    before.FirstOrDefault(one => one.EndPoint.Equals(address.EndPoint)) ?? Create(address)),
            ];
            dropped = [.. before.Except(_subchannels).SelectMany(gone => gone.Parked)];
            AfterLoss();
        }

        foreach (var stream in dropped)
            stream.Dispose();
    }

    void OnRetryDue()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            if (_waiting > 0 || _policy.KeepsConnected)
                Connect(isWake: true);
            ArmRetry();
            Pulse();
        }
    }

    void AfterLoss()
    {
        if (_isActive && (_waiting > 0 || _policy.KeepsConnected))
            Connect(isWake: false);
        ArmRetry();
        Pulse();
    }

    void Connect(bool isWake)
    {
        if (_isDisposed)
            return;
        var now = Now;
        foreach (var subchannel in _policy.ToConnect(_subchannels, one => one.CanStart(isWake, now)).ToList())
        {
            subchannel.Start(now, Random());
            subchannel.Attempt = ConnectAsync(subchannel, _stop.Token);
        }
    }

    void ArmRetry()
    {
        if (_isDisposed || !_isActive || (_waiting == 0 && !_policy.KeepsConnected))
            return;
        var failed = _subchannels.Where(one => one.State == ConnectivityState.TransientFailure).ToList();
        if (failed.Count == 0)
            return;
        var wait = failed.Min(one => one.RetryAt) - Now;
        _retryTimer.Change(wait > TimeSpan.Zero ? wait + MinWait : MinWait, Timeout.InfiniteTimeSpan);
    }

    Status? FailureOfAll()
    {
        if (_subchannels.Count == 0)
            return _resolverFailure;
        return CurrentState() == ConnectivityState.TransientFailure ? _subchannels[^1].Failure : null;
    }

    ConnectivityState CurrentState() => _isDisposed ? ConnectivityState.Shutdown
        : _subchannels.Count == 0 && _resolverFailure is not null ? ConnectivityState.TransientFailure
        : PickPolicy.StateOf(_subchannels);

    Subchannel Create(BalancerAddress address) => new(
        address.EndPoint,
        new UriBuilder(_scheme, address.EndPoint.Host, address.EndPoint.Port).Uri,
        new ReconnectBackoff(_options.InitialReconnectBackoff, _options.MaxReconnectBackoff));

    static double Random() => RandomNumberGenerator.GetInt32(RandomSteps) / (double)RandomSteps;

    DateTimeOffset Now => _options.TimeProvider.GetUtcNow();

    void Pulse()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.TrySetResult();
    }

    static Stream? TakeParked(Subchannel subchannel)
    {
        while (subchannel.Parked.TryDequeue(out var stream))
        {
            // A server may have closed it since: then it is readable, and there is nothing to read.
            if (stream is not NetworkStream { Socket: { } socket }
                || !socket.Poll(0, SelectMode.SelectRead) || socket.Available > 0)
            {
                return stream;
            }

            stream.Dispose();
        }

        return null;
    }

    static async ValueTask<Stream> ConnectTcpAsync(DnsEndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
