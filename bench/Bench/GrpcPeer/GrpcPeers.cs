using System.Diagnostics;
using System.Text.Json;

namespace Hexcast.Bench.GrpcPeer;

/// <summary>gRPC's own server in C++, and the client that loads all servers, from the sources beside this.</summary>
internal static class GrpcPeers
{
    private static readonly string Sources = Path.Combine(AppContext.BaseDirectory, "GrpcPeer");

    /// <summary>Builds <c>server</c> and <c>client</c> into the folder with Debian's gRPC; starts the server.</summary>
    public static async Task<GrpcProcess> BuildAndStartCppAsync(string folder)
    {
        Console.Error.WriteLine("building the C++ server and client");
        await Clips.RunAsync("sh", ["-euc", $$"""
            protoc -I '{{Sources}}' --cpp_out='{{folder}}' --grpc_out='{{folder}}' \
              --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" echo.proto
            for name in server client; do
              g++ -O2 -std=c++17 -I '{{folder}}' -o "{{folder}}/$name" "{{Sources}}/$name.cc" \
                '{{folder}}/echo.pb.cc' '{{folder}}/echo.grpc.pb.cc' $(pkg-config --cflags --libs grpc++ protobuf)
            done
            """]);
        return await GrpcProcess.StartAsync("C++", Path.Combine(folder, "server"));
    }

    public static Task<GrpcProcess> StartPythonAsync() =>
        GrpcProcess.StartAsync("grpcio", "/usr/bin/python3", Path.Combine(Sources, "server.py"));

    public static Task<GrpcProcess> StartOursAsync() =>
        GrpcProcess.StartAsync("ours", "dotnet", "exec", typeof(GrpcPeers).Assembly.Location, "grpc-server");

    /// <summary>One run of the client against a server.</summary>
    public static async Task<GrpcLoad> LoadAsync(
        string folder, int port, string kind, int inFlight, int bytes, TimeSpan time)
    {
        var (output, _) = await Clips.RunAsync(
            Path.Combine(folder, "client"),
            [$"127.0.0.1:{port}", kind, $"{inFlight}", $"{bytes}", $"{time.TotalSeconds:0}"]);
        return JsonSerializer.Deserialize<GrpcLoad>(output)!;
    }
}

/// <param name="PerSecond">Calls, or messages of a stream.</param>
/// <param name="P50">Microseconds a call; 0 of a stream.</param>
/// <param name="P99">Microseconds a call; 0 of a stream.</param>
internal sealed record GrpcLoad(double PerSecond, long P50, long P99);

/// <summary>A server in a process of its own that prints its port first.</summary>
internal sealed class GrpcProcess : IAsyncDisposable
{
    private readonly Process process;

    private GrpcProcess(string name, Process process, int port)
    {
        this.process = process;
        Name = name;
        Port = port;
    }

    public string Name { get; }

    public int Port { get; }

    public int ProcessId => process.Id;

    public static async Task<GrpcProcess> StartAsync(string name, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        foreach (var proxy in start.Environment.Keys.Where(
            key => key.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(proxy);
        }

        var started = Process.Start(start)!;
        var port = await started.StandardOutput.ReadLineAsync();
        return int.TryParse(port, out var number)
            ? new GrpcProcess(name, started, number)
            : throw new InvalidOperationException($"the {name} server does not start");
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
