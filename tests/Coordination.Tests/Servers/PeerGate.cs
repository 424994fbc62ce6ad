using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>
/// Stands before one member's port for the other members, and can swallow what a member sends to it and gets from it:
/// connections stay open, and nothing comes over them, as where a network is cut.
/// </summary>
internal sealed class PeerGate : IAsyncDisposable
{
    /// <summary>As /proc/net/tcp writes it. A connection that has ended there may still stand in it.</summary>
    private const string Established = "01";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly List<Line> lines = [];
    private readonly HashSet<int> cut = [];
    private readonly int port;
    private readonly Func<IReadOnlyList<int>> members;
    private readonly Task accepting;

    /// <param name="port">Where the member behind it listens.</param>
    /// <param name="members">The processes that may connect.</param>
    public PeerGate(int port, Func<IReadOnlyList<int>> members)
    {
        (this.port, this.members) = (port, members);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Nothing of these processes passes any more.</summary>
    public void Cut(IEnumerable<int> processes)
    {
        lock (lines)
        {
            cut.UnionWith(processes);
            foreach (var line in lines.Where(line => cut.Contains(OwnerOf(line.Port))))
            {
                line.IsCut = true;
            }
        }
    }

    /// <summary>Lines that were cut have lost what they carried: members make new ones.</summary>
    public void Heal()
    {
        lock (lines)
        {
            cut.Clear();
            foreach (var line in lines.Where(line => line.IsCut))
            {
                line.Dispose();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
                carried.RemoveAll(line => line.IsCompleted);
                carried.Add(CarryAsync(from));
            }
        }
        finally
        {
            await Task.WhenAll(carried);
        }
    }

    private async Task CarryAsync(Socket from)
    {
        using var line = new Line(from);
        try
        {
            lock (lines)
            {
                lines.Add(line);
                line.IsCut = cut.Count > 0 && cut.Contains(OwnerOf(line.Port));
            }

            await line.To.ConnectAsync(IPAddress.Loopback, port, stop.Token);
            await await Task.WhenAny(PumpAsync(line, line.Out, line.To), PumpAsync(line, line.To, line.Out));
        }
        catch (Exception ended) when (ended is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // As a connection between members ends.
        }
        finally
        {
            lock (lines)
            {
                lines.Remove(line);
            }
        }
    }

    private async Task PumpAsync(Line line, Socket source, Socket target)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await source.ReceiveAsync(buffer, stop.Token) is > 0 and var read)
            {
                if (!line.IsCut)
                {
                    await target.SendAsync(buffer.AsMemory(0, read), stop.Token);
                }
            }
        }
        catch (Exception ended) when (ended is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The other direction ends with it.
        }
    }

    /// <summary>
    /// The member whose end of a connection has this port, as the kernel knows; 0: none. Asked when it is to be cut:
    /// members connect before their processes are known here.
    /// </summary>
    private int OwnerOf(int port)
    {
        var end = $"0100007F:{port:X4}";
        var inode = File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(fields => fields[1] == end && fields[3] == Established)?[9];
        return members().FirstOrDefault(id => Holds(id, $"socket:[{inode}]"));
    }

    private static bool Holds(int process, string file)
    {
        try
        {
            return Directory.EnumerateFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/fd"))
                .Any(link => new FileInfo(link).LinkTarget == file);
        }
        catch (IOException)
        {
            // It has ended, or closed a file meanwhile.
            return false;
        }
    }

    private sealed class Line(Socket from) : IDisposable
    {
        public int Port { get; } = ((IPEndPoint)from.RemoteEndPoint!).Port;

        public Socket Out => from;

        public Socket To { get; } = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public bool IsCut
        {
            get => Volatile.Read(ref field);
            set => Volatile.Write(ref field, value);
        }

        public void Dispose()
        {
            from.Dispose();
            To.Dispose();
        }
    }
}
