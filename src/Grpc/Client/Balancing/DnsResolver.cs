using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>
/// <c>dns:///host[:port]</c>: all addresses of a host. Asked again when a connection is lost, and at an interval.
/// Requests name the host, and so do certificates.
/// </summary>
public sealed class DnsResolverFactory : ResolverFactory
{
    readonly TimeSpan _refreshInterval;
    readonly Func<string, CancellationToken, Task<IPAddress[]>> _lookUp;

    /// <param name="refreshInterval">Infinite: only when a connection is lost.</param>
    public DnsResolverFactory(TimeSpan refreshInterval)
        : this(refreshInterval, Dns.GetHostAddressesAsync)
    {
    }

    internal DnsResolverFactory(
        TimeSpan refreshInterval, Func<string, CancellationToken, Task<IPAddress[]>> lookUp)
    {
        if (refreshInterval != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(refreshInterval, TimeSpan.Zero);
        _refreshInterval = refreshInterval;
        _lookUp = lookUp;
    }

    public override string Name => "dns";

    public override Resolver Create(ResolverOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var name = Uri.UnescapeDataString(options.Address.AbsolutePath.Trim('/'));
        if (!Uri.TryCreate($"http://{name}", UriKind.Absolute, out var host)
            || host is not { PathAndQuery: "/", UserInfo: "", Fragment: "" })
        {
            throw new InvalidOperationException(
                $"The address {options.Address} names no host: write dns:///host or dns:///host:port.");
        }

        var hasPort = name.LastIndexOf(':') > name.LastIndexOf(']');
        return new DnsResolver(
            host.IdnHost, hasPort ? host.Port : options.DefaultPort, _refreshInterval, _lookUp, options.Time);
    }
}

sealed class DnsResolver(
    string host,
    int port,
    TimeSpan refreshInterval,
    Func<string, CancellationToken, Task<IPAddress[]>> lookUp,
    TimeProvider time) : Resolver
{
    /// <summary>However often connections are lost: name servers are others' too. As in grpc-dotnet.</summary>
    static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(15);

    static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);

    /// <summary>Of the backoff: its middle. Clients that start together have other things that spread them.</summary>
    const double Middle = 0.5;

    readonly Channel<bool> _asked = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly CancellationTokenSource _stop = new();
    readonly ReconnectBackoff _backoff = new(FirstRetry, MinInterval);
    Task _running = Task.CompletedTask;

    public override void Start(Action<ResolverResult> listener) => _running = RunAsync(listener, _stop.Token);

    public override void Refresh() => _asked.Writer.TryWrite(true);

    // What runs ends with the cancellation, and holds nothing that has to be waited for.
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _stop.Cancel();
        if (_running.IsCompleted)
            _stop.Dispose();
    }

    async Task RunAsync(Action<ResolverResult> listener, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                if (!await TryResolveAsync(listener, stop))
                {
                    await Task.Delay(_backoff.Next(Middle), time, stop);
                    continue;
                }

                _backoff.Reset();
                var start = time.GetTimestamp();
                if (await IsAskedBeforeDueAsync(stop) && MinInterval - time.GetElapsedTime(start) is var left
                    && left > TimeSpan.Zero)
                {
                    await Task.Delay(left, time, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The channel is closed.
        }
    }

    async Task<bool> TryResolveAsync(Action<ResolverResult> listener, CancellationToken stop)
    {
        try
        {
            var addresses = await lookUp(host, stop);
            listener(ResolverResult.ForResult(
                [.. addresses.Select(address => new BalancerAddress(address.ToString(), port))]));
            return addresses.Length > 0;
        }
        catch (SocketException e)
        {
            listener(ResolverResult.ForFailure(
                new Status(StatusCode.Unavailable, $"{host} cannot be resolved: {e.Message}", e)));
            return false;
        }
    }

    async Task<bool> IsAskedBeforeDueAsync(CancellationToken stop)
    {
        using var due = new CancellationTokenSource(refreshInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, due.Token);
        try
        {
            return await _asked.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
