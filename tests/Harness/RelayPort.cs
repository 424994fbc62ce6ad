using System.Net;
using System.Net.Sockets;

namespace Hexcast.Harness;

/// <summary>A port of this machine that leads to another one: what goes over its connections is its owner's to say.
/// </summary>
public sealed class RelayPort : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly IPEndPoint target;
    private readonly Func<Socket, Socket, CancellationToken, Task> carry;
    private readonly Task accepting;

    /// <param name="target">Where it leads.</param>
    /// <param name="carry">Gets both ends of a connection; they are closed when its task ends. Its token fires when
    /// the port is closed.</param>
    public RelayPort(IPEndPoint target, Func<Socket, Socket, CancellationToken, Task> carry)
    {
        (this.target, this.carry) = (target, carry);
        listener.Start();
        accepting = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>As a connection ends: by either side, or because the port is closed.</summary>
    public static bool IsEnd(Exception ended) =>
        ended is SocketException or IOException or OperationCanceledException or ObjectDisposedException;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        listener.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> carried = [];
        try
        {
            while (true)
            {
                var from = await listener.AcceptSocketAsync(stop.Token);
                carried.RemoveAll(connection => connection.IsCompleted);
                carried.Add(CarryAsync(from));
            }
        }
        finally
        {
            await Task.WhenAll(carried);
        }
    }

    private async Task CarryAsync(Socket accepted)
    {
        using var from = accepted;
        using var to = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        from.NoDelay = true;
        try
        {
            await to.ConnectAsync(target, stop.Token);
            await carry(from, to, stop.Token);
        }
        catch (Exception ended) when (IsEnd(ended))
        {
            // Both ends are closed with it.
        }
    }
}
