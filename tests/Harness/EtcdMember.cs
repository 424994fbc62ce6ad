using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Hexcast.Harness;

/// <summary>One etcd 3.4 on loopback that a test can kill, stop and start again; alone, or one of several.</summary>
public sealed class EtcdMember : IAsyncDisposable
{
    private const string Executable = "/usr/bin/etcd";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string folder;
    private readonly string name;
    private readonly string peerAddress;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private string cluster = "";
    private Process? process;

    private EtcdMember(string folder, int number)
    {
        (this.folder, name) = (folder, $"node-{number}");
        Address = $"http://127.0.0.1:{FreePort()}";
        peerAddress = $"http://127.0.0.1:{FreePort()}";
    }

    /// <summary>Of its clients.</summary>
    public string Address { get; }

    /// <param name="folder">What the members keep lies below it.</param>
    public static async Task<IReadOnlyList<EtcdMember>> StartAsync(string folder, int members = 1)
    {
        if (!File.Exists(Executable))
        {
            throw new InvalidOperationException($"{Executable} is missing: apt-get install etcd-server etcd-client");
        }

        var all = Enumerable.Range(1, members).Select(number => new EtcdMember(folder, number)).ToList();
        foreach (var member in all)
        {
            member.cluster = string.Join(',', all.Select(m => $"{m.name}={m.peerAddress}"));
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
                "--listen-peer-urls", peerAddress,
                "--initial-advertise-peer-urls", peerAddress,
                "--initial-cluster", cluster,
                "--log-level", "error",
            },
        };
        // Debian's etcd reads its settings from the environment too.
        foreach (var setting in start.Environment.Keys.Where(key => key.StartsWith("ETCD_")).ToList())
        {
            start.Environment.Remove(setting);
        }

        process?.Dispose();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Answers requests that need a leader.</summary>
    public Task WaitUntilHealthyAsync() => Wait.ForAsync(
        IsHealthyAsync, StartLimit, () => $"etcd's member {name} does not serve");

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await KillAsync();
        }

        process?.Dispose();
        http.Dispose();
    }

    private async Task<bool> IsHealthyAsync()
    {
        if (process!.HasExited)
        {
            throw new InvalidOperationException($"etcd's member {name} ended with {process.ExitCode}");
        }

        try
        {
            using var answer = await http.GetAsync($"{Address}/health");
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
}
