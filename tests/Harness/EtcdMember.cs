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
    private readonly EtcdPorts ports;
    private readonly IReadOnlyList<string> flags;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Queue<string> words = new();
    private string cluster = "";
    private Process? process;

    private EtcdMember(string folder, int number, EtcdPorts ports, IReadOnlyList<string> flags)
    {
        (this.folder, name, this.ports, this.flags) = (folder, $"node-{number}", ports, flags);
        Address = $"{(flags.Contains("--cert-file") ? "https" : "http")}://127.0.0.1:{ports.Clients}";
    }

    /// <summary>Of its clients.</summary>
    public string Address { get; }

    public int ProcessId => process!.Id;

    public bool IsRunning => process is { HasExited: false };

    /// <param name="folder">What the members keep lies below it.</param>
    /// <param name="flags">Of each member, such as those for TLS.</param>
    /// <param name="through">Where a member's port for the others is to be reached; null: at that port.</param>
    public static async Task<IReadOnlyList<EtcdMember>> StartAsync(
        string folder, int members = 1, IReadOnlyList<string>? flags = null, Func<int, int>? through = null)
    {
        if (!File.Exists(Executable))
        {
            throw new InvalidOperationException($"{Executable} is missing: apt-get install etcd-server etcd-client");
        }

        var all = Enumerable.Range(1, members)
            .Select(number => new EtcdMember(folder, number, EtcdPorts.Free(through), flags ?? [])).ToList();
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
        var start = new ProcessStartInfo(Executable)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--name", name,
                "--data-dir", Path.Combine(folder, name),
                "--listen-client-urls", Address,
                "--advertise-client-urls", Address,
                "--listen-peer-urls", $"http://127.0.0.1:{ports.ListenPeers}",
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
        catch (HttpRequestException)
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
    private sealed record EtcdPorts(int Clients, int ListenPeers, int AdvertisedPeers, int Health)
    {
        public string PeersUrl => $"http://127.0.0.1:{AdvertisedPeers}";

        /// <summary>Without TLS, whatever clients have to show.</summary>
        public string HealthUrl => $"http://127.0.0.1:{Health}";

        public static EtcdPorts Free(Func<int, int>? through)
        {
            var peers = FreePort();
            return new EtcdPorts(FreePort(), peers, through?.Invoke(peers) ?? peers, FreePort());
        }
    }
}
