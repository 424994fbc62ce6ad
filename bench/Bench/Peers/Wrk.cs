using System.Text.Json;

namespace Hexcast.Bench;

/// <summary>wrk, a load generator in a process of its own, over connections that are kept.</summary>
internal sealed class Wrk(string folder, int connections, TimeSpan duration)
{
    // Requests go round the paths; the end is told as JSON rather than in rounded words.
    private const string Script =
        """
        local paths = {}
        init = function(arguments) paths = arguments end
        local at = 0
        request = function()
          at = at % #paths + 1
          return wrk.format("GET", paths[at])
        end
        done = function(summary, latency, requests)
          local e = summary.errors
          io.write(string.format(
            '{"Requests":%d,"Bytes":%d,"Microseconds":%d,"Errors":%d,"P50":%d,"P99":%d}\n',
            summary.requests, summary.bytes, summary.duration,
            e.connect + e.read + e.write + e.status + e.timeout,
            latency:percentile(50), latency:percentile(99)))
        end
        """;

    public async Task<WrkResult> RunAsync(Uri server, IEnumerable<string> paths)
    {
        var script = Path.Combine(folder, "round.lua");
        await File.WriteAllTextAsync(script, Script);
        var (output, _) = await Clips.RunAsync(
            "wrk",
            ["-t1", $"-c{connections}", $"-d{duration.TotalSeconds:0}s", "-s", script, $"{server}", "--", .. paths]);
        var result = JsonSerializer.Deserialize<WrkResult>(
            output.Split('\n').Single(line => line.StartsWith('{')))!;
        return result.Errors == 0 && result.Requests > 0
            ? result
            : throw new InvalidOperationException($"wrk met {result.Errors} errors in {result.Requests} requests");
    }
}

/// <param name="P50">Microseconds.</param>
/// <param name="P99">Microseconds.</param>
internal sealed record WrkResult(long Requests, long Bytes, long Microseconds, long Errors, long P50, long P99)
{
    public double RequestsPerSecond => Requests * 1e6 / Microseconds;

    public double MegabytesPerSecond => (double)Bytes / Microseconds;
}
