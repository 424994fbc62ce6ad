using System.Diagnostics;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Hexcast.Grpc.Tests;

/// <summary>A Python process with grpcio, Debian's own: the C core, gRPC's reference.</summary>
sealed class PythonPeer : PeerProcess
{
    const string Python = "/usr/bin/python3";

    readonly string _descriptor;

    PythonPeer(Process process, string descriptor)
        : base(process) => _descriptor = descriptor;

    public static Task<PythonPeer> StartAsync(string script, params string[] args) =>
        StartAsync(ProbeReflection.Descriptor, script, args);

    /// <param name="services">The file whose services it speaks; the script gets it as its first argument.</param>
    /// <param name="script">In the folder python.</param>
    /// <param name="args">Further arguments.</param>
    public static async Task<PythonPeer> StartAsync(FileDescriptor services, string script, params string[] args)
    {
        await RequireGrpcio();
        var descriptor = Path.Combine(Path.GetTempPath(), $"hexcast-probe-{Guid.NewGuid():N}.desc");
        await File.WriteAllBytesAsync(descriptor, services.SerializedData.ToByteArray());
        var path = Path.Combine(AppContext.BaseDirectory, "python", script);
        return new PythonPeer(StartProcess(Python, [path, descriptor, .. args]), descriptor);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        File.Delete(_descriptor);
    }

    static async Task RequireGrpcio()
    {
        const string missing =
            "Python with grpcio is missing. Run ./hexcast test, or: apt-get install python3-grpcio python3-protobuf";
        File.Exists(Python).ShouldBeTrue(missing);
        using var check = StartProcess(Python, ["-c", "import grpc, google.protobuf"]);
        await check.WaitForExitAsync().Within();
        check.ExitCode.ShouldBe(0, missing);
    }
}
