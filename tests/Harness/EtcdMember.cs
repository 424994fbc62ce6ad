using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Hexcast.Harness;

/// <summary>One etcd 3.4 on loopback that a test can kill, stop and start again; alone, or one of several.</summary>
public sealed class EtcdMember : IAsyncDisposable
{
    private const string Executable = "/usr/bin/etcd";

    /// <summary>Of its log, over all its lives.</summary>
    private const int KeptLines = 1_000;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string folder;
    private readonly string name;
    private readonly ProcessPlace place;
    private readonly EtcdPorts ports;
    private readonly IReadOnlyList<string> flags;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Queue<string> words = new();
    private string cluster = "";
    private Process? process;

    private EtcdMember(string folder, string name, ProcessPlace place, EtcdPorts ports, IReadOnlyList<string> flags)
    {
        (this.folder, this.name, this.place, this.ports, this.flags) = (folder, name, place, ports, flags);
        Address = $"{(flags.Contains("--cert-file") ? "https" : "http")}://{place.Address}:{ports.Clients}";
    }

    public string Name => name;

    /// <summary>What it keeps.</summary>
    public string DataFolder => Path.Combine(folder, name);

    /// <summary>Of its clients.</summary>
    public string Address { get; }

    public int ProcessId => process!.Id;

    public bool IsRunning => process is { HasExited: false };

    /// <param name="folder">What the members keep lies below it.</param>
    /// <param name="flags">Of each member, such as those for TLS.</param>
    /// <param name="through">Where a member's port for the others is to be reached; null: at that port.</param>
    /// <param name="placeOf">Where a member of that name runs; null: here.</param>
    public static async Task<IReadOnlyList<EtcdMember>> StartAsync(
        string folder,
        int members = 1,
        IReadOnlyList<string>? flags = null,
        Func<int, int>? through = null,
        Func<string, Task<ProcessPlace>>? placeOf = null)
    {
        if (!File.Exists(Executable))
        {
            throw new InvalidOperationException($"{Executable} is missing: apt-get install etcd-server etcd-client");
        }

        var all = new List<EtcdMember>();
        foreach (var host in Enumerable.Range(1, members).Select(number => $"node-{number}"))
        {
            var at = placeOf is null ? ProcessPlace.Here : await placeOf(host);
            all.Add(new EtcdMember(folder, host, at, EtcdPorts.Free(at.Address, through), flags ?? []));
        }

        foreach (var member in all)
        {
            member.cluster = string.Join(',', all.Select(m => $"{m.name}={m.ports.PeersUrl}"));
            member.Start();
        }

        foreach (var member in all)
        {
            await member.WaitUntilHealthyAsync();
        }

        return all;
    }

    public void Start()
    {
        string[] command = [.. place.Prefix, Executable];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--name", name,
                "--data-dir", DataFolder,
                "--listen-client-urls", Address,
                "--advertise-client-urls", Address,
                "--listen-peer-urls", $"http://{place.Address}:{ports.ListenPeers}",
                "--initial-advertise-peer-urls", ports.PeersUrl,
                "--listen-metrics-urls", ports.HealthUrl,
                "--initial-cluster", cluster,
                "--log-level", "warn",
            },
        };
        foreach (var flag in flags)
        {
            start.ArgumentList.Add(flag);
        }

        // Debian's etcd reads its settings from the environment too.
        foreach (var setting in start.Environment.Keys.Where(key => key.StartsWith("ETCD_")).ToList())
        {
            start.Environment.Remove(setting);
        }

        process?.Dispose();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>STOP: its connections stay open and nothing comes over them.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    public Task ContinueAsync() => SignalAsync("CONT");

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Answers requests that need a leader.</summary>
    public Task WaitUntilHealthyAsync() => Wait.ForAsync(
        IsHealthyAsync, StartLimit, () => $"etcd's member {name} does not serve");

    /// <summary>The end of its log, over all its lives.</summary>
    public string LastWords(int lines)
    {
        lock (words)
        {
            return string.Join('\n', words.TakeLast(lines));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await KillAsync();
        }

        process?.Dispose();
        http.Dispose();
    }

    private void Keep(string? line)
    {
        lock (words)
        {
            words.Enqueue(line ?? "");
            if (words.Count > KeptLines)
            {
                words.Dequeue();
            }
        }
    }

    private async Task<bool> IsHealthyAsync()
    {
        if (process!.HasExited)
        {
            throw new InvalidOperationException(
                $"etcd's member {name} ended with {process.ExitCode}:\n{LastWords(KeptLines)}");
        }

        try
        {
            using var answer = await http.GetAsync($"{ports.HealthUrl}/health");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception silent) when (silent is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <param name="AdvertisedPeers">Where the others are told to reach it, which may be something in between.</param>
    private sealed record EtcdPorts(string Host, int Clients, int ListenPeers, int AdvertisedPeers, int Health)
    {
        public string PeersUrl => $"http://{Host}:{AdvertisedPeers}";

        /// <summary>Without TLS, whatever clients have to show.</summary>
        public string HealthUrl => $"http://{Host}:{Health}";

        public static EtcdPorts Free(string host, Func<int, int>? through)
        {
            var peers = FreePort();
            return new EtcdPorts(host, FreePort(), peers, through?.Invoke(peers) ?? peers, FreePort());
        }
    }
}
