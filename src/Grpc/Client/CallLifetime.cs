using Grpc.Core;
using Grpc.Telemetry;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>
/// When a call ends, and with what: the first of its trailers, a failure, its deadline, its token, its disposal and its
/// channel's end decides; what comes later changes nothing.
/// </summary>
abstract class CallLifetime : IDisposable
{
    readonly Lock _gate = new();
    readonly CancellationTokenSource _abort = new();
    readonly CancellationToken _callerToken;
    readonly ContextPropagationToken? _parent;
    readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    CancellationTokenRegistration _onCallerCancelled;
    CancellationTokenRegistration _onParentCancelled;
    CancellationTokenRegistration _onChannelShutdown;
    DeadlineTimer? _deadlineTimer;
    Status? _status;
    Metadata _trailers = Metadata.Empty;

    protected CallLifetime(GrpcChannel channel, CallOptions options)
    {
        Channel = channel;
        Options = options;
        WriteOptions = options.WriteOptions;
        _callerToken = options.CancellationToken;
        _parent = options.PropagationToken;
        Deadline = options.Deadline ?? DateTime.MaxValue;
        if (Deadline.Kind != DateTimeKind.Utc && Deadline != DateTime.MaxValue && Deadline != DateTime.MinValue)
            throw new InvalidOperationException("A deadline must be in UTC (DateTimeKind.Utc).");
        if (_parent is not null && _parent.Deadline < Deadline)
            Deadline = _parent.Deadline;
    }

    public Task<Metadata> ResponseHeaders => _headers.Task;

    /// <summary>Stops whatever the call waits for.</summary>
    public CancellationToken Aborted => _abort.Token;

    /// <summary>Of the request stream; its user may change them between writes.</summary>
    public WriteOptions? WriteOptions { get; set; }

    /// <summary>Hears of the end; null for an attempt of a call that has one of its own.</summary>
    public ClientCallTelemetry? Telemetry { get; init; }

    protected GrpcChannel Channel { get; }

    protected CallOptions Options { get; }

    protected DateTime Deadline { get; }

    public Status? StatusIfEnded
    {
        get
        {
            lock (_gate)
                return _status;
        }
    }

    public Status GetStatus() =>
        StatusIfEnded ?? throw new InvalidOperationException("The call has no status yet: it still runs.");

    public Metadata GetTrailers()
    {
        lock (_gate)
        {
            return _status is not null
                ? _trailers
                : throw new InvalidOperationException("The call has no trailers yet: it still runs.");
        }
    }

    public void Dispose() => Abort(new Status(StatusCode.Cancelled, "gRPC call disposed."));

    /// <summary>Ends the call from this side; the server sees its stream reset.</summary>
    public void Abort(Status status)
    {
        if (TryEnd(status, Metadata.Empty))
            _abort.Cancel();
        Release();
    }

    /// <summary>Ends the call for the exception's reason, unless it has ended; returns what to throw.</summary>
    public Exception Fail(Exception e)
    {
        var status = ErrorMapping.ToStatus(e);
        // A server that keeps the deadline itself may reset the stream a moment before this side's timer fires.
        if (status.StatusCode is StatusCode.Cancelled or StatusCode.Unavailable
            && Deadline <= Channel.Time.GetUtcNow().UtcDateTime)
        {
            status = PastDeadline(e);
        }

        Abort(status);
        return EndedException();
    }

    /// <summary>Of a call that has ended otherwise than with OK.</summary>
    public Exception EndedException()
    {
        Metadata trailers;
        Status status;
        lock (_gate)
        {
            status = _status!.Value;
            trailers = _trailers;
        }

        return Channel.ThrowOperationCanceled && status.StatusCode == StatusCode.Cancelled
            ? new OperationCanceledException(status.Detail, new RpcException(status, trailers), _callerToken)
            : new RpcException(status, trailers);
    }

    /// <summary>Ends the call by cancellation of a token that was given to one operation on it.</summary>
    public CancellationTokenRegistration AbortOn(CancellationToken token) =>
        token.UnsafeRegister(static call => ((CallLifetime)call!).AbortByCaller(), this);

    protected void ThrowIfChannelDisposed() => _ = Channel.Http;

    protected void StartTimers()
    {
        if (Deadline != DateTime.MaxValue)
        {
            if (Deadline <= Channel.Time.GetUtcNow().UtcDateTime)
                Abort(PastDeadline(null));
            else
                _deadlineTimer = new DeadlineTimer(Channel.Time, Deadline, () => Abort(PastDeadline(null)));
        }

        _onCallerCancelled = AbortOn(_callerToken);
        if (_parent is not null)
            _onParentCancelled = AbortOn(_parent.CancellationToken);
        _onChannelShutdown = Channel.Shutdown.UnsafeRegister(
            static call => ((CallLifetime)call!).Abort(new Status(StatusCode.Cancelled, "The channel was disposed.")),
            this);
        // Whatever ended the call before its registrations were stored could not release them.
        if (StatusIfEnded is not null)
            Release();
    }

    protected void SetHeaders(Metadata headers) => _headers.TrySetResult(headers);

    /// <summary>The server said how the call ended.</summary>
    protected void End(Status status, Metadata trailers)
    {
        TryEnd(status, trailers);
        Release();
    }

    /// <summary>Frees what belongs to the connection; may be called more than once.</summary>
    protected abstract void ReleaseTransport();

    void AbortByCaller() => Abort(new Status(StatusCode.Cancelled, "Call canceled by the client."));

    bool TryEnd(Status status, Metadata trailers)
    {
        lock (_gate)
        {
            if (_status is not null)
                return false;
            _status = status;
            _trailers = trailers;
        }

        Telemetry?.End(status);
        if (_headers.TrySetException(new RpcException(status, trailers)))
            _ = _headers.Task.Exception;
        return true;
    }

    void Release()
    {
        _deadlineTimer?.Dispose();
        _onCallerCancelled.Unregister();
        _onParentCancelled.Unregister();
        _onChannelShutdown.Unregister();
        ReleaseTransport();
    }

    static Status PastDeadline(Exception? e) => new(StatusCode.DeadlineExceeded, "The deadline passed.", e);
}
