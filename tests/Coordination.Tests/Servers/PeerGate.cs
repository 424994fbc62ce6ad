using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hexcast.Harness;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>
/// Stands before one member's port for the other members, and can swallow what a member sends to it and gets from it:
/// connections stay open, and nothing comes over them, as where a network is cut.
/// </summary>
internal sealed class PeerGate : IAsyncDisposable
{
    /// <summary>As /proc/net/tcp writes it. A connection that has ended there may still stand in it.</summary>
    private const string Established = "01";

    private readonly List<Line> lines = [];
    private readonly HashSet<int> cut = [];
    private readonly Func<IReadOnlyList<int>> members;
    private readonly RelayPort port;

    /// <param name="port">Where the member behind it listens.</param>
    /// <param name="members">The processes that may connect.</param>
    public PeerGate(int port, Func<IReadOnlyList<int>> members)
    {
        this.members = members;
        this.port = new RelayPort(new IPEndPoint(IPAddress.Loopback, port), CarryAsync);
    }

    public int Port => port.Address.Port;

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

    public ValueTask DisposeAsync() => port.DisposeAsync();

    private async Task CarryAsync(Socket from, Socket to, CancellationToken stop)
    {
        using var line = new Line(from, to);
        lock (lines)
        {
            lines.Add(line);
            line.IsCut = cut.Count > 0 && cut.Contains(OwnerOf(line.Port));
        }

        try
        {
            await await Task.WhenAny(PumpAsync(line, from, to, stop), PumpAsync(line, to, from, stop));
        }
        finally
        {
            lock (lines)
            {
                lines.Remove(line);
            }
        }
    }

    private static async Task PumpAsync(Line line, Socket source, Socket target, CancellationToken stop)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await source.ReceiveAsync(buffer, stop) is > 0 and var read)
            {
                if (!line.IsCut)
                {
                    await target.SendAsync(buffer.AsMemory(0, read), stop);
                }
            }
        }
        catch (Exception ended) when (RelayPort.IsEnd(ended))
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

    private sealed class Line(Socket from, Socket to) : IDisposable
    {
        public int Port { get; } = ((IPEndPoint)from.RemoteEndPoint!).Port;

        public bool IsCut
        {
            get => Volatile.Read(ref field);
            set => Volatile.Write(ref field, value);
        }

        public void Dispose()
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
