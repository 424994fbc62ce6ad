using System.Net;
using Hexcast.App.Cli;

namespace Hexcast.App.Local;

/// <summary>An etcd of one member on loopback, where the nodes of a local cluster find each other.</summary>
internal static class LocalEtcd
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReadyInterval = TimeSpan.FromMilliseconds(100);

    // etcd knows nothing of its parent: the shell in front of it does.
    private const string UntilInputEnds = "etcd \"$@\" & p=$!; cat > /dev/null; kill $p; wait $p";

    public static async Task<ChildProcess> StartAsync(
        string folder, IPEndPoint clients, IPEndPoint peers, HttpClient http, TimeProvider clock,
        CancellationToken cancel)
    {
        var (address, peer) = ($"http://{clients}", $"http://{peers}");
        var child = ChildProcess.Start(
            [
                "sh", "-c", UntilInputEnds, "sh", "--name", "local", "--data-dir", folder, "--log-level", "error",
                "--listen-client-urls", address, "--advertise-client-urls", address,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", $"local={peer}", "--force-new-cluster",
            ],
            new Dictionary<string, string>(StringComparer.Ordinal), clock);
        try
        {
            var began = clock.GetTimestamp();
            while (!await IsHealthyAsync(new Uri($"{address}/health"), http, cancel))
            {
                if (child.HasEnded || child.Words.Contains("not found", StringComparison.Ordinal)
                    || clock.GetElapsedTime(began) > StartLimit)
                {
                    throw new CliException(
                        ExitCode.SetupMissing,
                        $"etcd, by which the nodes find each other, does not start: {child.Words}\n" +
                        "Run: apt-get install etcd-server");
                }

                await Task.Delay(ReadyInterval, clock, cancel);
            }

            return child;
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> IsHealthyAsync(Uri health, HttpClient http, CancellationToken cancel)
    {
        try
        {
            using var answer = await http.GetAsync(health, cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
