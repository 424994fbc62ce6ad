using System.Diagnostics;
using Grpc.Net.Client;
using Hexcast.Coordination.Client;
using Hexcast.Coordination.Embedded;
using Microsoft.AspNetCore.Builder;

namespace Hexcast.Coordination.Tests.Servers;

/// <summary>An embedded coordinator in a process of its own, to be killed at any instant.</summary>
internal sealed class ChildCoordinator : IDisposable
{
    public const string Verb = "run-coordinator";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    // Few, so that a kill also falls into snapshots, the deletion of segments, and compactions.
    private static readonly CoordinatorLimits Limits = new() { SnapshotEntries = 150, HistoryRevisions = 300 };

    private readonly Process _process;
    private readonly GrpcChannel _channel;

    private ChildCoordinator(Process process, string address)
    {
        _process = process;
        _channel = GrpcChannel.ForAddress(address);
        Client = new CoordinatorClient(_channel.CreateCallInvoker(), TimeProvider.System);
    }

    public CoordinatorClient Client { get; }

    /// <summary>What the child process does: serves until its standard input ends.</summary>
    public static async Task<int> RunAsync(string folder)
    {
        await using var app = EmbeddedServer.Build(folder, EmbeddedGroup.FreePort(), Limits);
        await app.StartAsync();
        await Console.Out.WriteLineAsync(app.Urls.Single());
        await Console.In.ReadToEndAsync();
        return 0;
    }

    public static async Task<ChildCoordinator> StartAsync(string folder)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // Under "dotnet exec" or "dotnet test" the process is dotnet itself.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
        {
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(typeof(ChildCoordinator).Assembly.Location);
        }
        start.ArgumentList.Add(Verb);
        start.ArgumentList.Add(folder);
        var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(StartLimit);
        var address = await process.StandardOutput.ReadLineAsync(limit.Token);
        return new ChildCoordinator(process, address.ShouldNotBeNull("the coordinator did not start"));
    }

    /// <summary>kill -9: nothing is flushed, nobody is told.</summary>
    public void Kill() => _process.Kill();

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _channel.Dispose();
    }
}
