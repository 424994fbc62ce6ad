using System.Net;
using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>Waits between attempts to connect, by gRPC's connection-backoff document.</summary>
sealed class ReconnectBackoff(TimeSpan initial, TimeSpan? max)
{
    const double Multiplier = 1.6;
    const double Jitter = 0.2;

    TimeSpan? _next;

    /// <summary>From the start of one attempt to that of the next.</summary>
    /// <param name="random">From 0 to 1.</param>
    public TimeSpan Next(double random)
    {
        var backoff = _next ?? initial;
        if (max < backoff)
            backoff = max.Value;
        _next = backoff * Multiplier;
        return backoff * (1 - Jitter + (2 * Jitter * random));
    }

    public void Reset() => _next = null;
}

/// <summary>
/// The state of the way to one address: a state machine without clock, chance or network. A connection proves itself by
/// the first byte that the server sends; one that is lost before counts as a failed attempt.
/// </summary>
sealed class Subchannel(DnsEndPoint endPoint, Uri baseUri, ReconnectBackoff backoff)
{
    static readonly Status ClosedAtOnce = new(
        StatusCode.Unavailable, "The server closed the connection before it said anything.");

    bool _isProved;

    public DnsEndPoint EndPoint { get; } = endPoint;

    /// <summary>What requests to it start with.</summary>
    public Uri BaseUri { get; } = baseUri;

    public ConnectivityState State { get; private set; } = ConnectivityState.Idle;

    /// <summary>Why it is in transient failure.</summary>
    public Status Failure { get; private set; }

    /// <summary>In transient failure: when the next attempt may start.</summary>
    public DateTimeOffset RetryAt { get; private set; }

    /// <summary>Connected ahead of the request that will use the connection.</summary>
    public Queue<Stream> Parked { get; } = [];

    /// <summary>The attempt that runs, or ran last; it ends by itself, with its limit or with the channel.</summary>
    public Task Attempt { get; set; } = Task.CompletedTask;

    /// <summary>Connections that HTTP uses.</summary>
    public int OpenConnections { get; set; }

    /// <param name="isWake">Somebody wants a connection now, or a wait is over; else failures are left alone.</param>
    /// <param name="now">The time.</param>
    public bool CanStart(bool isWake, DateTimeOffset now) =>
        State == ConnectivityState.Idle
        || (isWake && State == ConnectivityState.TransientFailure && now >= RetryAt);

    public void Start(DateTimeOffset now, double random)
    {
        State = ConnectivityState.Connecting;
        RetryAt = now + backoff.Next(random);
    }

    public void OnConnected() => State = ConnectivityState.Ready;

    public void OnProved()
    {
        _isProved = true;
        backoff.Reset();
    }

    public void OnFailed(Status failure)
    {
        State = ConnectivityState.TransientFailure;
        Failure = failure;
        _isProved = false;
    }

    /// <summary>Its last connection is gone.</summary>
    public void OnLost(DateTimeOffset now)
    {
        if (!_isProved && now < RetryAt)
            OnFailed(ClosedAtOnce);
        else if (State == ConnectivityState.Ready)
            State = ConnectivityState.Idle;
        _isProved = false;
    }
}
