using System.Diagnostics;
using Google.Protobuf.Reflection;

namespace Hexcast.Grpc.Tests;

/// <summary>A Python process with grpcio, Debian's own: the peer that shows that the wire is gRPC's.</summary>
sealed class PythonPeer : IAsyncDisposable
{
    const string Python = "/usr/bin/python3";

    readonly Process _process;
    readonly string _descriptor;

    PythonPeer(Process process, string descriptor)
    {
        _process = process;
        _descriptor = descriptor;
    }

    public static Task<PythonPeer> StartAsync(string script, params string[] args) =>
        StartAsync(ProbeReflection.Descriptor, script, args);

    /// <param name="file">What the script's messages are; it stands alone.</param>
    /// <param name="script">Its first argument is a file with the descriptor.</param>
    /// <param name="args">The others.</param>
    public static async Task<PythonPeer> StartAsync(FileDescriptor file, string script, params string[] args)
    {
        await RequireGrpcio();
        var descriptor = Path.Combine(Path.GetTempPath(), $"hexcast-probe-{Guid.NewGuid():N}.desc");
        await File.WriteAllBytesAsync(descriptor, file.SerializedData.ToByteArray());
        var process = Start([Path.Combine(AppContext.BaseDirectory, "python", script), descriptor, .. args]);
        return new PythonPeer(process, descriptor);
    }

    /// <summary>The next line that the script prints.</summary>
    public async Task<string> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync().Within() ?? throw await Died();

    /// <summary>All that the script prints, once it has ended well.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync().Within();
        await _process.WaitForExitAsync().Within();
        return _process.ExitCode == 0 ? output : throw await Died();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync().Within();
        }

        _process.Dispose();
        File.Delete(_descriptor);
    }

    static async Task RequireGrpcio()
    {
        const string missing =
            "Python with grpcio is missing. Run ./hexcast test, or: apt-get install python3-grpcio python3-protobuf";
        File.Exists(Python).ShouldBeTrue(missing);
        using var check = Start(["-c", "import grpc, google.protobuf"]);
        await check.WaitForExitAsync().Within();
        check.ExitCode.ShouldBe(0, missing);
    }

    static Process Start(IEnumerable<string> args)
    {
        var start = new ProcessStartInfo(Python, args)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // grpcio would send loopback calls to a proxy that the environment names, and write .pyc files beside scripts.
        foreach (var name in start.Environment.Keys.Where(
            key => key.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        return Process.Start(start)!;
    }

    async Task<Exception> Died() =>
        new InvalidOperationException(
            $"The Python peer ended: {await _process.StandardError.ReadToEndAsync().Within()}");
}
