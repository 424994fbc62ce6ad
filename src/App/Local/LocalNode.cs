using System.Net;
using Hexcast.App.Cli;
using Hexcast.Platform.Hosting;

namespace Hexcast.App.Local;

/// <param name="Folder">Its data folder.</param>
/// <param name="Roles">As for --target.</param>
internal sealed record LocalNodePlan(string Name, string Folder, string Roles, IPEndPoint Http, IPEndPoint Grpc);

/// <summary>One node of a local cluster: a child process, started again when it ends.</summary>
internal sealed class LocalNode(
    LocalNodePlan plan, IReadOnlyDictionary<string, string> environment, TimeProvider clock, Action<string> say)
    : IAsyncDisposable
{
    private const string LogName = "hexcast.log";

    private static readonly TimeSpan ReadyInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FirstRestart = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastRestart = TimeSpan.FromSeconds(30);

    private ChildProcess? child;

    public LocalNodePlan Plan => plan;

    public int ProcessId => child?.Id ?? 0;

    public string LogFile => Path.Combine(plan.Folder, LogName);

    private Uri Ready => new($"http://{plan.Http}/readyz");

    /// <exception cref="CliException">It ended instead of getting ready.</exception>
    public async Task StartAsync(HttpClient http, CancellationToken cancel)
    {
        child = ChildProcess.Start(
            [
                .. OwnCommand(), "serve", "--until-stdin-ends", "--data", plan.Folder, "--target", plan.Roles,
                "--http", plan.Http.ToString(), "--grpc", plan.Grpc.ToString(), "--log-file", LogFile,
            ],
            environment, clock);
        while (!await IsReadyAsync(http, cancel))
        {
            if (child.HasEnded)
            {
                throw new CliException(ExitCode.Failed, $"{plan.Name} did not start: {child.Words}");
            }

            await Task.Delay(ReadyInterval, clock, cancel);
        }
    }

    /// <summary>Starts it again whenever it has ended, until cancelled.</summary>
    public async Task KeepAsync(HttpClient http, CancellationToken cancel)
    {
        var backoff = new Backoff(FirstRestart, LastRestart, clock);
        while (true)
        {
            await child!.Ended.WaitAsync(cancel);
            say($"{plan.Name} ended; it is started again. Its log: {LogFile}");
            await child.DisposeAsync();
            await backoff.WaitAsync(cancel);
            try
            {
                await StartAsync(http, cancel);
                say($"{plan.Name} is ready again, process {ProcessId}");
                backoff.Reset();
            }
            catch (CliException failed)
            {
                say(failed.Message);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (child is not null)
        {
            await child.DisposeAsync();
        }
    }

    private async Task<bool> IsReadyAsync(HttpClient http, CancellationToken cancel)
    {
        try
        {
            using var answer = await http.GetAsync(Ready, cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // No answer in the client's time.
            return false;
        }
    }

    // This very executable, whether dotnet runs it or it runs by itself.
    private static string[] OwnCommand()
    {
        var process = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(process) == "dotnet"
            ? [process, Path.Combine(AppContext.BaseDirectory, "hexcast.dll")]
            : [process];
    }
}
