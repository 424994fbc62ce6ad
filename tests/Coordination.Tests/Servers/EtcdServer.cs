using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Hexcast.Contracts.Etcd;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>A real etcd 3.4 on loopback, with its data in a temporary folder.</summary>
public sealed class EtcdServer : CoordinatorServer
{
    private const string Executable = "/usr/bin/etcd";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    public override string Name => "etcd";

    protected override async Task StartAsync()
    {
        if (!File.Exists(Executable))
        {
            throw new InvalidOperationException($"{Executable} is missing: apt-get install etcd-server etcd-client");
        }
        var (client, peer) = (FreePort(), FreePort());
        Address = $"http://127.0.0.1:{client}";
        var peerAddress = $"http://127.0.0.1:{peer}";
        var start = new ProcessStartInfo(Executable)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--name", "node-1",
                "--data-dir", Path.Combine(_folder.Path, "etcd"),
                "--listen-client-urls", Address,
                "--advertise-client-urls", Address,
                "--listen-peer-urls", peerAddress,
                "--initial-advertise-peer-urls", peerAddress,
                "--initial-cluster", $"node-1={peerAddress}",
                "--log-level", "error",
            },
        };
        // Debian's etcd reads its settings from the environment too.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ETCD_")).ToList())
        {
            start.Environment.Remove(name);
        }
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await WaitUntilServingAsync();
    }

    protected override async Task StopAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        _folder.Dispose();
    }

    private async Task WaitUntilServingAsync()
    {
        using var channel = GrpcChannel.ForAddress(Address);
        var maintenance = new Maintenance.MaintenanceClient(channel);
        var limit = TimeProvider.System.GetUtcNow() + StartLimit;
        while (true)
        {
            try
            {
                if ((await maintenance.StatusAsync(new StatusRequest())).Leader != 0)
                {
                    return;
                }
            }
            catch (RpcException) when (TimeProvider.System.GetUtcNow() < limit && !_process!.HasExited)
            {
                await Task.Yield();
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
