using System.Net;
using System.Net.Sockets;

namespace Hexcast.Grpc.Tests;

/// <summary>
/// What lies between a client and a server: it passes bytes on until it falls silent as a dead network does, which
/// closes nothing; or until nobody has said anything for a while, when it closes both sides as proxies do.
/// </summary>
sealed class TcpRelay : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly int _serverPort;
    readonly TimeSpan _idleLimit;
    readonly Task _running;
    volatile bool _isSilent;
    int _passed;

    /// <param name="serverPort">Where it leads.</param>
    /// <param name="idleLimit">Null: it has the patience of a wire.</param>
    public TcpRelay(int serverPort, TimeSpan? idleLimit = null)
    {
        _serverPort = serverPort;
        _idleLimit = idleLimit ?? Timeout.InfiniteTimeSpan;
        _listener.Start();
        _running = RelayAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    /// <summary>Pieces that went through, of both directions.</summary>
    public int Passed => Volatile.Read(ref _passed);

    public void FallSilent() => _isSilent = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.Within();
        _listener.Dispose();
        _stop.Dispose();
    }

    async Task RelayAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(RelayAsync(await _listener.AcceptSocketAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    async Task RelayAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        using (client)
        {
            client.NoDelay = true;
            await server.ConnectAsync(IPAddress.Loopback, _serverPort);
            await Task.WhenAny(PassAsync(client, server, idle), PassAsync(server, client, idle));
        }
    }

    async Task PassAsync(Socket from, Socket to, CancellationTokenSource idle)
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                idle.CancelAfter(_idleLimit);
                var count = await from.ReceiveAsync(buffer, idle.Token);
                if (count == 0)
                    return;
                Interlocked.Increment(ref _passed);
                if (!_isSilent)
                    await to.SendAsync(buffer.AsMemory(0, count), idle.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Too long a silence, the end of the test, or one side's own end.
        }
    }
}
