using System.Diagnostics;

namespace Hexcast.Harness;

/// <summary>The product's own executable, `play`, on one data folder, as often as a test starts it.</summary>
public sealed class PlayProcess(string dataFolder)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private readonly string http = $"127.0.0.1:{PlatformProcess.FreePort()}";
    private readonly string grpc = $"127.0.0.1:{PlatformProcess.FreePort()}";

    public HttpClient Client() => new(new AdminTokenHandler(
        () => Path.Combine(dataFolder, AdminTokenHandler.FileName), new SocketsHttpHandler()))
    {
        BaseAddress = new Uri($"http://{http}"),
    };

    public string Log => File.ReadAllText(Path.Combine(dataFolder, "hexcast.log"));

    /// <summary>Until it ends by itself.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var ended = await EndAsync(process);
        Evidence.KeepDataFolder(dataFolder);
        foreach (var line in ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Evidence.Keep("words", line);
        }

        foreach (var line in Evidence.Folder is null ? [] : File.ReadLines(Path.Combine(dataFolder, "hexcast.log")))
        {
            Evidence.Keep("log", line);
        }

        return ended;
    }

    /// <summary>The caller disposes of it, and kills it where it has not ended.</summary>
    public Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(
        "env",
        ["--default-signal=INT", "dotnet", PlatformProcess.AppPath, "play", .. arguments,
            "--data", dataFolder, "--http", http, "--grpc", grpc])
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    public static async Task<(int ExitCode, string Output, string Errors)> EndAsync(
        Process process, TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}
