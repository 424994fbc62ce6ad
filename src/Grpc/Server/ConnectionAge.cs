using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>How long clients keep a connection; it makes them resolve and balance anew.</summary>
public sealed class ConnectionAgeOptions
{
    /// <summary>
    /// From a connection's start to its GOAWAY, a tenth more or less so that not all clients return at once.
    /// </summary>
    public TimeSpan MaxAge { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>From the GOAWAY to the end of calls that are still running then.</summary>
    public TimeSpan Grace { get; set; } = Timeout.InfiniteTimeSpan;
}

public static class ConnectionAgeExtensions
{
    /// <summary>A client closes once it has read the last GOAWAY; one that does not is waited for no longer.</summary>
    static readonly TimeSpan LingerLimit = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Retires each connection of this endpoint at an age: GOAWAY, so that new calls go elsewhere and none is lost;
    /// running calls go on until the grace ends, when the connection is aborted.
    /// </summary>
    public static ListenOptions UseMaxConnectionAge(this ListenOptions listen, ConnectionAgeOptions age)
    {
        ArgumentNullException.ThrowIfNull(listen);
        ArgumentNullException.ThrowIfNull(age);
        if (age.MaxAge == Timeout.InfiniteTimeSpan)
            return listen;
        var clock = listen.ApplicationServices.GetRequiredService<TimeProvider>();
        listen.Use(next => async connection =>
        {
            var transport = connection.Transport;
            var lingering = new LingeringTransport(transport);
            connection.Transport = lingering;
            try
            {
                using var retirement = new Retirement(connection, age.Grace);
                retirement.Start(clock, age.MaxAge * Spread(connection.ConnectionId));
                await next(connection);
            }
            finally
            {
                using var limit = new CancellationTokenSource(LingerLimit, clock);
                await lingering.LingerAsync(limit.Token);
                connection.Transport = transport;
            }
        });
        return listen;
    }

    // 0.9 to 1.1, by the connection's name: the hash of a string is another in each process.
    static double Spread(string connectionId) =>
        0.9 + (0.2 * (uint)connectionId.GetHashCode(StringComparison.Ordinal) / uint.MaxValue);

    sealed class Retirement(ConnectionContext connection, TimeSpan grace) : IDisposable
    {
        readonly Lock _gate = new();
        ITimer? _timer;
        bool _isAsked;
        bool _isDone;

        public void Start(TimeProvider clock, TimeSpan age)
        {
            lock (_gate)
                _timer = clock.CreateTimer(_ => OnDue(), null, age, Timeout.InfiniteTimeSpan);
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _isDone = true;
                _timer?.Dispose();
            }
        }

        void OnDue()
        {
            bool isLate;
            lock (_gate)
            {
                if (_isDone)
                    return;
                isLate = _isAsked;
                _isAsked = true;
                _timer!.Change(isLate ? Timeout.InfiniteTimeSpan : grace, Timeout.InfiniteTimeSpan);
            }

            if (isLate)
                connection.Abort(new ConnectionAbortedException("The connection's age and its grace have passed."));
            else
                connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }
}
