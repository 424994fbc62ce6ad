using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>A real Prometheus with the configuration of deploy/observability, that scrapes one live node.</summary>
internal sealed class Prometheus : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly Process process;
    private readonly HttpClient http;

    private Prometheus(Process process, int port)
    {
        this.process = process;
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    public static async Task<Prometheus> StartAsync(string folder, string sources, Uri node)
    {
        foreach (var file in Directory.GetFiles(sources, "*.yml"))
        {
            var text = (await File.ReadAllTextAsync(file))
                .Replace("localhost:8080", node.Authority, StringComparison.Ordinal)
                .Replace("interval: 15s", "interval: 1s", StringComparison.Ordinal);
            await File.WriteAllTextAsync(Path.Combine(folder, Path.GetFileName(file)), text);
        }

        var port = PlatformProcess.FreePort();
        var started = Process.Start(new ProcessStartInfo(
            "prometheus",
            [$"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/tsdb",
                $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        var prometheus = new Prometheus(started, port);
        await Wait.ForAsync(
            async () => (await prometheus.QueryAsync("up{job=\"hexcast\"} == 1")).Count == 1, Limit,
            () => "Prometheus does not see the node");
        return prometheus;
    }

    /// <summary>The samples that answer the expression; throws what Prometheus has against it.</summary>
    public async Task<JsonArray> QueryAsync(string expression)
    {
        try
        {
            using var answer = await http.GetAsync($"/api/v1/query?query={Uri.EscapeDataString(expression)}");
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                return [];
            }

            var document = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
            answer.IsSuccessStatusCode.ShouldBeTrue($"{expression}: {document["error"]}");
            return document["data"]!["result"]!.AsArray();
        }
        catch (HttpRequestException) when (!process.HasExited)
        {
            // Not listening yet; a moment later it answers 503.
            return [];
        }
    }

    public async Task WaitForAsync(string expression) => await Wait.ForAsync(
        async () => (await QueryAsync(expression)).Count > 0, Limit, () => $"nothing answers {expression}");

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        http.Dispose();
    }
}
