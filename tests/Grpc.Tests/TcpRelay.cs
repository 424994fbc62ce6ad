using System.Net;
using System.Net.Sockets;
using Hexcast.Harness;

namespace Hexcast.Grpc.Tests;

/// <summary>
/// What lies between a client and a server: it passes bytes on until it falls silent as a dead network does, which
/// closes nothing; or until nobody has said anything for a while, when it closes both sides as proxies do.
/// </summary>
sealed class TcpRelay : IAsyncDisposable
{
    readonly RelayPort _port;
    readonly TimeSpan _idleLimit;
    volatile bool _isSilent;
    int _passed;

    /// <param name="serverPort">Where it leads.</param>
    /// <param name="idleLimit">Null: it has the patience of a wire.</param>
    public TcpRelay(int serverPort, TimeSpan? idleLimit = null)
    {
        _idleLimit = idleLimit ?? Timeout.InfiniteTimeSpan;
        _port = new RelayPort(new IPEndPoint(IPAddress.Loopback, serverPort), RelayAsync);
    }

    public Uri Address => new($"http://{_port.Address}");

    /// <summary>Pieces that went through, of both directions.</summary>
    public int Passed => Volatile.Read(ref _passed);

    public void FallSilent() => _isSilent = true;

    public ValueTask DisposeAsync() => _port.DisposeAsync();

    async Task RelayAsync(Socket client, Socket server, CancellationToken stop)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(PassAsync(client, server, idle), PassAsync(server, client, idle));
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
        catch (Exception e) when (RelayPort.IsEnd(e))
        {
            // Too long a silence, the end of the test, or one side's own end.
        }
    }
}
