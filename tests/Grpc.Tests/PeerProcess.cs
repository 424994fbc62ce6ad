using System.Diagnostics;

namespace Hexcast.Grpc.Tests;

/// <summary>A process with another gRPC implementation: the peer that shows that the wire is gRPC's.</summary>
abstract class PeerProcess(Process process) : IAsyncDisposable
{
    /// <summary>The next line that the script prints.</summary>
    public async Task<string> ReadLineAsync() =>
        await process.StandardOutput.ReadLineAsync().Within() ?? throw await Died();

    /// <summary>All that the script prints, once it has ended well.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync().Within();
            await process.WaitForExitAsync().Within();
            if (process.ExitCode == 0)
                return output;
        }
        catch (TimeoutException)
        {
            process.Kill();
        }

        throw new InvalidOperationException($"The peer failed: {await errors.Within()}");
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync().Within();
        }

        process.Dispose();
    }

    protected static Process StartProcess(string program, IEnumerable<string> args)
    {
        var start = new ProcessStartInfo(program, args)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Peers would send loopback calls to a proxy that the environment names, and Python write .pyc files.
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
        new InvalidOperationException($"The peer ended: {await process.StandardError.ReadToEndAsync().Within()}");
}
