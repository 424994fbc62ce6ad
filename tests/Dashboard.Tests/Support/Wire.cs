using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Hexcast.Dashboard.Tests.Support;

/// <summary>A connection between browser and server that a test can cut, and mend.</summary>
internal sealed class Wire(Uri server) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Socket, bool> open = new();
    private TcpListener listener = Listen(0);
    private Task accepting = Task.CompletedTask;

    public Uri Url { get; private set; } = server;

    public static Wire To(Uri server)
    {
        var wire = new Wire(server);
        wire.Url = new UriBuilder(server) { Port = ((IPEndPoint)wire.listener.LocalEndpoint).Port }.Uri;
        wire.accepting = wire.AcceptAsync(server);
        return wire;
    }

    /// <summary>What is on its way breaks off, and nothing new comes through.</summary>
    public void Cut()
    {
        listener.Stop();
        foreach (var socket in open.Keys)
        {
            socket.Close(timeout: 0);
        }
    }

    public void Mend(Uri server)
    {
        listener = Listen(Url.Port);
        accepting = AcceptAsync(server);
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        await accepting;
        listener.Dispose();
    }

    private static TcpListener Listen(int port)
    {
        var started = new TcpListener(IPAddress.Loopback, port);
        started.Start();
        return started;
    }

    private async Task AcceptAsync(Uri server)
    {
        var pairs = new List<Task>();
        try
        {
            while (true)
            {
                pairs.Add(JoinAsync(await listener.AcceptSocketAsync(), server));
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(pairs);
        }
    }

    private async Task JoinAsync(Socket near, Uri server)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            (open[near], open[far]) = (true, true);
            await far.ConnectAsync(IPAddress.Loopback, server.Port);
            await using var one = new NetworkStream(near);
            await using var other = new NetworkStream(far);
            await Task.WhenAny(one.CopyToAsync(other), other.CopyToAsync(one));
        }
        catch (Exception cut) when (cut is SocketException or IOException or ObjectDisposedException)
        {
            // That is what it is for.
        }
        finally
        {
            open.TryRemove(near, out _);
            open.TryRemove(far, out _);
            near.Close(timeout: 0);
        }
    }
}
