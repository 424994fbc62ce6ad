using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Hexcast.EndToEnd;

/// <summary>`cluster up`: nodes on one machine, which speak mutual TLS and end with whoever started them.</summary>
public sealed class LocalClusterTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();

    public void Dispose()
    {
        foreach (var data in Directory.GetDirectories(Path.Combine(folder.Path, "cluster"), "node-*"))
        {
            Evidence.KeepDataFolder(data);
            foreach (var line in File.ReadLines(Path.Combine(data, "hexcast.log")))
            {
                Evidence.Keep("log", line);
            }
        }

        folder.Dispose();
    }

    [Fact]
    public async Task One_command_starts_a_cluster_that_works_and_nothing_of_it_outlives_the_command()
    {
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await Clips.MakeStandardAsync(clip, seconds: 4);
        string id;
        using (var up = Start())
        {
            var told = await ReadyAsync(up);
            told["nodes"]!.AsArray().Select(node => (string)node!["node"]!).ShouldBe(["node-1", "node-2", "node-3"]);
            await NoNodeSpeaksForAnotherAsync(told);
            using var http = Client(told);
            var api = new HexcastApi(http);
            id = await api.UploadAsync(clip);
            var media = await api.WaitForAsync(id, "ready");
            media["job"]!["tasks"]!.AsArray().Select(task => (string)task!["node_id"]!).Distinct()
                .ShouldBeSubsetOf(["node-2", "node-3"]);

            var worker = Processes(told)[1];
            Process.GetProcessById(worker).Kill();
            await Wait.ForAsync(
                async () => (await NodesAsync(http)).Count(node => (bool)node!["connected"]!) == 2 && !Lives(worker),
                Limit, () => "the worker that was killed is not back");

            up.Kill(entireProcessTree: false);
            await up.WaitForExitAsync();
            await EndsAsync();
        }

        using (var again = Start())
        {
            var told = await ReadyAsync(again);
            using var http = Client(told);
            ((string)(await new HexcastApi(http).GetAsync(id))["state"]!).ShouldBe("ready");
            using var signal = Process.Start("kill", ["-TERM", again.Id.ToString()]);
            using var limit = new CancellationTokenSource(Limit);
            await again.WaitForExitAsync(limit.Token);
            again.ExitCode.ShouldBe(0);
            await EndsAsync();
        }
    }

    /// <summary>With the certificate of one node, as the member of each.</summary>
    private async Task NoNodeSpeaksForAnotherAsync(JsonNode told)
    {
        const string caller = "node-2";
        var data = Path.Combine(folder.Path, "cluster", caller);
        var grpc = (string)told["nodes"]!.AsArray().Single(node => (string)node!["node"]! == "node-1")!["grpc"]!;
        using var status = Run("cluster", "status", "--json", "--data", data);
        var members = JsonNode.Parse(await status.StandardOutput.ReadToEndAsync())!["members"]!.AsArray();
        members.Count.ShouldBeGreaterThan(1);
        var own = Path.Combine(data, "cluster");
        using var certificate = X509Certificate2.CreateFromPemFile(
            Path.Combine(own, "node.pem"), Path.Combine(own, "node.key"));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificates = [certificate];
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(own, "ca.pem"));
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        using var http = new HttpClient(handler);
        foreach (var member in members)
        {
            using var ask = new HttpRequestMessage(HttpMethod.Post, $"https://{grpc}/hexcast.v1.Raft/AskLeader")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(new byte[5]),
            };
            ask.Content.Headers.ContentType = new("application/grpc");
            ask.Headers.Add("te", "trailers");
            ask.Headers.Add("hexcast-cluster", "hexcast");
            ask.Headers.Add("hexcast-member", (string)member!["id"]!);
            ask.Headers.Add("hexcast-address", (string)member["address"]!);
            using var answer = await http.SendAsync(ask);
            await answer.Content.ReadAsByteArrayAsync();
            var code = answer.Headers.Concat(answer.TrailingHeaders).Single(header => header.Key == "grpc-status")
                .Value.Single();
            (code == "7").ShouldBe((string)member["node"]! != caller, $"{member["node"]}: {code}");
        }
    }

    private Process Start()
    {
        var process = Run(
            "cluster", "up", "--workers", "2", "--free-ports", "--json",
            "--data", Path.Combine(folder.Path, "cluster"));
        process.ErrorDataReceived += (_, line) => Evidence.Keep("words", line.Data ?? "");
        process.BeginErrorReadLine();
        return process;
    }

    private static Process Run(params string[] words) =>
        Process.Start(new ProcessStartInfo("dotnet", [PlatformProcess.AppPath, .. words])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;

    /// <summary>Its one document, which it writes when all nodes are ready.</summary>
    private static async Task<JsonNode> ReadyAsync(Process up)
    {
        using var limit = new CancellationTokenSource(Limit);
        var document = new StringBuilder();
        string? line;
        while ((line = await up.StandardOutput.ReadLineAsync(limit.Token)) is not null)
        {
            document.AppendLine(line);
            if (line == "}")
            {
                return JsonNode.Parse(document.ToString())!;
            }
        }

        throw new InvalidOperationException($"it ended without a word: {document}");
    }

    private HttpClient Client(JsonNode told) => new(new AdminTokenHandler(
        () => Path.Combine(folder.Path, "cluster", "node-1", AdminTokenHandler.FileName), new SocketsHttpHandler()))
    {
        BaseAddress = new Uri((string)told["address"]!),
    };

    private static async Task<JsonArray> NodesAsync(HttpClient http)
    {
        using var answer = await http.GetAsync("/v1/nodes");
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["nodes"]?.AsArray() ?? [];
    }

    private static List<int> Processes(JsonNode told) =>
        [.. told["nodes"]!.AsArray().Select(node => (int)node!["process"]!)];

    private static bool Lives(int process) => Directory.Exists($"/proc/{process}");

    // Whatever runs for it, etcd too, has the folder on its command line.
    private Task EndsAsync()
    {
        List<string> left = [];
        return Wait.ForAsync(
            () =>
            {
                left = [.. Directory.GetDirectories("/proc").Select(CommandLine)
                    .Where(line => line.Contains(folder.Path, StringComparison.Ordinal))];
                return Task.FromResult(left.Count == 0);
            },
            Limit, () => $"still there: {string.Join(", ", left)}");
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            // No process, or none any more.
            return "";
        }
    }
}
