using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;

namespace Hexcast.Harness;

/// <summary>The product's own executable, `serve`, as a process that a test can kill.</summary>
public sealed class PlatformProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly HashSet<int> GivenPorts = [];
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();
    private ProcessPlace place = ProcessPlace.Here;
    private (string Folder, string Size)? smallDisk;
    private IReadOnlyDictionary<string, string> settings = new Dictionary<string, string>();
    private readonly IReadOnlyList<string> arguments;
    private Process? process;

    private PlatformProcess(
        string dataFolder, string address, int httpPort, int grpcPort, IReadOnlyList<string> arguments)
    {
        this.arguments = arguments;
        // Other roles, another document.
        var roles = arguments.SkipWhile(word => word != "--target").ElementAtOrDefault(1);
        DataFolder = dataFolder;
        Grpc = $"{address}:{grpcPort}";
        Http = new HttpClient(new AdminTokenHandler(
            AdminTokenPath, new ContractHandler($"serve {roles}", new SecretRecorder(new SocketsHttpHandler()))))
        {
            BaseAddress = new Uri($"http://{address}:{httpPort}"),
            Timeout = TimeSpan.FromMinutes(2),
        };
        Api = new HexcastApi(Http);
    }

    public static string AppPath { get; } = typeof(PlatformProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "HexcastApp").Value!;

    public string DataFolder { get; }

    /// <summary>A path below the data folder as the process itself sees it, its small disk included.</summary>
    public string Inside(string path) => $"/proc/{process!.Id}/root{Path.Combine(DataFolder, path)}";

    /// <summary>Shows the admin token.</summary>
    public HttpClient Http { get; }

    public int ProcessId => process!.Id;

    public bool IsRunning => process is { HasExited: false };

    public string AdminToken => File.ReadAllText(AdminTokenPath()).Trim();

    // On a small disk it can be reached through the process only.
    private string AdminTokenPath() => smallDisk is not null && process is { HasExited: false }
        ? Inside(AdminTokenHandler.FileName)
        : Path.Combine(DataFolder, AdminTokenHandler.FileName);

    public string Grpc { get; }

    public HexcastApi Api { get; }

    /// <summary>Everything that the process has printed, over all its lives.</summary>
    public string Log
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>Of that, what was on standard error: words for people.</summary>
    public string Errors
    {
        get
        {
            lock (output)
            {
                return errors.ToString();
            }
        }
    }

    /// <param name="dataFolder">Kept from one life to the next.</param>
    /// <param name="smallDisk">A folder below it that becomes a disk of its own, and its size ("20m").</param>
    /// <param name="settings">Options by "Section:Option", of all its lives.</param>
    /// <param name="arguments">More words for `serve`.</param>
    public static async Task<PlatformProcess> StartAsync(
        string dataFolder,
        (string Folder, string Size)? smallDisk = null,
        IReadOnlyDictionary<string, string>? settings = null,
        params string[] arguments)
    {
        var platform = new PlatformProcess(dataFolder, ProcessPlace.Here.Address, FreePort(), FreePort(), arguments)
        {
            smallDisk = smallDisk,
            settings = settings ?? await SuiteTraces.SettingsAsync(),
        };
        return await Started.WholeAsync(platform, one => one.StartAgainAsync());
    }

    /// <param name="grpcPort">Known before it starts: others are told of it.</param>
    public static async Task<PlatformProcess> StartAtAsync(
        string dataFolder, int grpcPort, IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        var platform = new PlatformProcess(dataFolder, ProcessPlace.Here.Address, FreePort(), grpcPort, arguments)
        {
            settings = settings,
        };
        return await Started.WholeAsync(platform, one => one.StartAgainAsync());
    }

    /// <summary>The same on a host of a network of its own, or among faults that can be had.</summary>
    public static async Task<PlatformProcess> StartAtAsync(
        ProcessPlace place, string dataFolder, IReadOnlyDictionary<string, string> settings,
        params string[] arguments)
    {
        var platform = new PlatformProcess(dataFolder, place.Address, FreePort(), FreePort(), arguments)
        {
            place = place,
            settings = settings,
        };
        return await Started.WholeAsync(platform, one => one.StartAgainAsync());
    }

    public async Task StartAgainAsync()
    {
        Start();
        await ReadyAsync();
    }

    /// <summary>Whether it comes up or not.</summary>
    public void Start()
    {
        string[] command = [
            .. place.Prefix,
            // A background job's children are born deaf to Ctrl-C; a person's are not.
            "env", "--default-signal=INT", "dotnet", AppPath, "serve",
            "--data", DataFolder, "--http", Http.BaseAddress!.Authority, "--grpc", Grpc,
            .. arguments];
        if (smallDisk is var (folder, size))
        {
            // In a mount namespace of its own, so that nothing of this is left when the process is gone.
            var path = Path.Combine(DataFolder, folder);
            Directory.CreateDirectory(path);
            command = [
                "unshare", "--map-root-user", "--mount", "sh", "-c",
                "mount -t tmpfs -o size=\"$1\" none \"$2\" && shift 2 && exec \"$@\"", "sh", size, path, .. command];
        }

        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (option, value) in settings)
        {
            start.Environment["HEXCAST__" + option.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        foreach (var (name, value) in place.Environment)
        {
            start.Environment[name] = value;
        }

        process?.Dispose();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep("log", line.Data);
        process.ErrorDataReceived += (_, line) => Keep("words", line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Task ReadyAsync() =>
        Wait.ForAsync(IsReadyAsync, StartLimit, () => $"the platform is not ready:\n{Log}");

    /// <summary>Of a process that ends by itself; its exit code.</summary>
    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await process!.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    /// <summary>kill -9, and nothing else: children must see to their own end.</summary>
    public async Task KillAsync()
    {
        process!.Kill(entireProcessTree: false);
        await process.WaitForExitAsync();
    }

    /// <summary>STOP: it stands still until CONT, and knows nothing of it.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    public Task ContinueAsync() => SignalAsync("CONT");

    /// <summary>Asks it to end: TERM as a service manager would, INT as Ctrl-C does. Answers the exit code.</summary>
    public async Task<int> StopAsync(string signal = "TERM")
    {
        await SignalAsync(signal);
        return await EndAsync();
    }

    /// <summary>Whether any process that it has started runs; one that has ended may wait for it to take note.
    /// </summary>
    public bool HasChildren => Directory.GetDirectories("/proc")
        .Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])).Any(IsRunningChild);

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await KillAsync();
        }

        Evidence.KeepDataFolder(DataFolder);
        process?.Dispose();
        Http.Dispose();
    }

    /// <summary>Never the same twice: whom it was for may not have taken it yet.</summary>
    public static int FreePort()
    {
        lock (GivenPorts)
        {
            while (true)
            {
                using var probe = new TcpListener(IPAddress.Loopback, 0);
                probe.Start();
                var port = ((IPEndPoint)probe.LocalEndpoint).Port;
                if (GivenPorts.Add(port))
                {
                    return port;
                }
            }
        }
    }

    private async Task<bool> IsReadyAsync()
    {
        if (process!.HasExited)
        {
            throw new InvalidOperationException($"the platform ended with {process.ExitCode}:\n{Log}");
        }

        try
        {
            using var answer = await Http.GetAsync("/readyz");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // proc(5), stat: "number (name) state parent …".
    private bool IsRunningChild(string other)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(other, "stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ') is [not "Z", var parent, ..]
                && parent == ProcessId.ToString();
        }
        catch (IOException)
        {
            // No process, or none any more.
            return false;
        }
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process!.Id.ToString()]);
        await kill.WaitForExitAsync();
    }

    private void Keep(string kind, string? line)
    {
        if (line is not null)
        {
            Evidence.Keep(kind, line);
        }

        lock (output)
        {
            output.AppendLine(line);
            if (kind == "words")
            {
                errors.AppendLine(line);
            }
        }
    }
}
