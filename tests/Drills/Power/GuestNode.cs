using System.Runtime.InteropServices;
using Hexcast.Harness.Faults;

namespace Hexcast.Drills.Power;

/// <summary>
/// A node in a guest, its data folder on the guest's own disk, which it keeps from one power loss to the next. Beside
/// it something counts into a file and syncs nothing: what is missing there is what a power loss takes.
/// </summary>
internal sealed class GuestNode : IAsyncDisposable
{
    private const int HttpThere = 8080;
    private const int GrpcThere = 8081;
    private const string Memory = "/dev/shm";
    private const string DataFolder = "/run/disk/data";
    private const long DiskBytes = 2L * 1024 * 1024 * 1024;

    /// <summary>Slow start and all: no round takes longer.</summary>
    private static readonly TimeSpan LifeLimit = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);

    private readonly string app;
    private readonly string folder;
    private readonly string disk;
    private readonly int httpHere = PlatformProcess.FreePort();
    private readonly IReadOnlyList<int> outward;
    private readonly IReadOnlyDictionary<string, string> settings;
    private readonly IReadOnlyList<string> arguments;
    private readonly TimeProvider clock = TimeProvider.System;
    private IReadOnlyDictionary<string, string> preloaded = new Dictionary<string, string>();
    private Guest? guest;
    private int round;
    private long powerOnAt;
    private int written;

    private GuestNode(
        string app, string folder, int grpcHere, IReadOnlyList<int> outward,
        IReadOnlyDictionary<string, string> settings, IReadOnlyList<string> arguments)
    {
        (this.app, this.folder, this.outward) = (app, folder, outward);
        (this.settings, this.arguments) = (settings, arguments);
        // What the guest syncs must not wait for this machine's disk: it is the emulator that is killed, not this one.
        disk = Directory.Exists(Memory)
            ? Path.Combine(Memory, $"hexcast-{grpcHere}.disk")
            : Path.Combine(folder, "disk");
        Grpc = $"localhost:{grpcHere}";
        Http = new HttpClient(new AdminTokenHandler(() => TokenPath, new SocketsHttpHandler()))
        {
            BaseAddress = new Uri($"http://127.0.0.1:{httpHere}"),
            Timeout = TimeSpan.FromMinutes(1),
        };
        Api = new HexcastApi(Http);
    }

    /// <summary>The address that all nodes know it by: in the guest this name leads back to this machine.</summary>
    public string Grpc { get; }

    public HttpClient Http { get; }

    public HexcastApi Api { get; }

    public string Said => guest!.Said;

    /// <summary>From power on to `/readyz`.</summary>
    public List<TimeSpan> Starts { get; } = [];

    /// <summary>Power losses after which the file that nobody synced lacked what had been written.</summary>
    public int LossesSeen { get; private set; }

    public int LossesPossible { get; private set; }

    private string TokenPath => Path.Combine(folder, AdminTokenHandler.FileName);

    /// <param name="outward">Ports of this machine that it reaches.</param>
    public static async Task<GuestNode> MakeAsync(
        string folder, int grpcHere, IReadOnlyList<int> outward, IReadOnlyDictionary<string, string> settings,
        params string[] arguments)
    {
        Directory.CreateDirectory(folder);
        var node = new GuestNode(await PublishAsync(), folder, grpcHere, outward, settings, arguments);
        await using (var file = File.Create(node.disk))
        {
            file.SetLength(DiskBytes);
        }

        await Clips.RunAsync("/usr/sbin/mkfs.ext4", ["-q", "-F", node.disk]);
        return node;
    }

    /// <summary>What it syncs from now on is not on the disk, and it believes that it is.</summary>
    public async Task SyncNothingAsync()
    {
        var faults = await NodeFaults.MakeAsync(Path.Combine(folder, "faults"), "guest");
        faults.SkipSync(DataFolder);
        preloaded = faults.At(ProcessPlace.Here).Environment;
    }

    /// <summary>Power on. The node is starting when this returns.</summary>
    public void PowerOn()
    {
        round++;
        powerOnAt = clock.GetTimestamp();
        var grpcHere = int.Parse(Grpc.Split(':')[1]);
        guest = Guest.Start(
            disk, [(httpHere, HttpThere), (grpcHere, GrpcThere)], outward, LifeLimit,
            Directory.CreateDirectory(Path.Combine(folder, "launcher")).FullName, Script());
    }

    /// <summary>It answers as far as it can: alone or not.</summary>
    public async Task WaitUntilReadyAsync()
    {
        await Wait.ForAsync(
            async () => HasToken() && await AnswersAsync(),
            StartLimit, () => $"the node in the guest is not ready:\n{guest!.Said}");
        Starts.Add(clock.GetElapsedTime(powerOnAt));
        NoteLoss();
    }

    public async Task CutAsync()
    {
        written = int.TryParse(guest!.LastSaid("unsynced"), out var line) ? line : 0;
        await guest.CutAsync();
        await guest.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (guest is not null)
        {
            await guest.DisposeAsync();
        }

        Http.Dispose();
        File.Delete(disk);
    }

    /// <summary>Compiled beforehand: an emulated processor would take minutes for that at each start.</summary>
    private static async Task<string> PublishAsync()
    {
        var root = DrillReport.Root();
        var output = Path.Combine(root, "artifacts", "guest");
        await Clips.RunAsync("dotnet", [
            "publish", Path.Combine(root, "src", "App"), "-c", "Release", "-v", "q", "--nologo",
            "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", "false", "-p:PublishReadyToRun=true",
            // Beside what the other builds make, lock files too: this one is for one kind of machine.
            "-p:NuGetLockFilePath=obj/guest.lock.json", "--artifacts-path", output]);
        return Path.Combine(output, "publish", "App", $"release_{RuntimeInformation.RuntimeIdentifier}");
    }

    private void NoteLoss()
    {
        if (round > 1 && written > 0)
        {
            LossesPossible++;
            LossesSeen += int.TryParse(guest!.LastSaid("left"), out var left) && left >= written ? 0 : 1;
        }
    }

    private bool HasToken()
    {
        if (!guest!.IsRunning)
        {
            throw new InvalidOperationException($"the guest has ended:\n{guest.Said}");
        }

        if (guest.LastSaid("token") is { Length: > 0 } token)
        {
            File.WriteAllText(TokenPath, token);
            return true;
        }

        return false;
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var answer = await Http.GetAsync("/readyz");
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private string Script()
    {
        var options = string.Join(' ', [
            .. settings.Select(setting =>
                $"'HEXCAST__{setting.Key.Replace(":", "__", StringComparison.Ordinal)}={setting.Value}'"),
            .. preloaded.Keys.Select(name => $"{name}=/run/{name}"),
        ]);
        // Renames are as little durable by themselves as the rest: a file that only ext4's heuristics save is a fault.
        return $$"""
            modprobe ext4 2>/dev/null
            mkdir -p /run/disk && mount -t ext4 -o noauto_da_alloc {{Guest.Disk}} /run/disk || exit 3
            cd /run/disk
            echo '{{Guest.HostAddress}} localhost' > /etc/hosts
            echo "left $(tail -n 1 unsynced-{{round - 1}} 2>/dev/null | tr -cd 0-9)"
            rm -f unsynced-*
            (n=0; while :; do n=$((n+1)); echo $n >> unsynced-{{round}}; echo "unsynced $n"; sleep 0.5; done) &
            (until [ -s data/admin.token ]; do sleep 0.5; done; echo "token $(cat data/admin.token)") &
            # Read once as a whole: page by page, from this machine, each start takes far longer.
            dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
            mkdir /run/dotnet /run/app
            cp -r "$dotnet/dotnet" "$dotnet/host" "$dotnet/shared" /run/dotnet && cp -r '{{app}}/.' /run/app || exit 4
            {{string.Join('\n', preloaded.Select(file => $"cp '{file.Value}' /run/{file.Key}"))}}
            echo "copied at $(cut -d' ' -f1 /proc/uptime)"
            export DOTNET_TieredPGO=0 DOTNET_TC_CallCountingDelayMs=600000 DOTNET_EnableWriteXorExecute=0
            env {{options}} /run/dotnet/dotnet /run/app/hexcast.dll serve --data {{DataFolder}} \
              --http 0.0.0.0:{{HttpThere}} --grpc 0.0.0.0:{{GrpcThere}} {{string.Join(' ', arguments)}} >log 2>&1
            echo "ended $?"; tail -n 20 log
            """;
    }
}
