using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Hexcast.Bench;

/// <summary>
/// What a viewer asks for, ours and nginx's in turn, under the same load of wrk: the master playlist of a signed media,
/// made for the viewer's token at each request, against the same bytes from a file; segments out of the store against
/// the same bytes from files. Everything is in the page cache; all processes share the machine's cores, unpinned.
/// </summary>
internal static class ServingBenchmark
{
    private const string Signed = "signed";
    private const int ManifestConnections = 32, SegmentConnections = 16;
    private const int LeastSegmentBytes = 1_000_000, MostSegmentBytes = 4_000_000;
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(8), ShortRunTime = TimeSpan.FromSeconds(1);

    public static Task<IReadOnlyList<IReport>> ManifestAsync(Extent extent) => RunAsync(
        extent, ManifestConnections, seconds: extent.Of(8, 2),
        (_, media, token) => Task.FromResult<string[]>([$"/play/{media["media_id"]}/master.m3u8?token={token}"]),
        (pairs, notes) => new Figures(
            "manifest", "signed master playlist", "nginx, the same bytes from a file", "requests/s", Aim.AtLeast(0.8),
            pairs, notes),
        result => result.RequestsPerSecond);

    public static Task<IReadOnlyList<IReport>> SegmentAsync(Extent extent) => RunAsync(
        extent, SegmentConnections, seconds: extent.Of(16, 2),
        (http, media, token) => SegmentsAsync(http, media, token, extent),
        (pairs, notes) => new Figures(
            "segment", "segments of a signed media", "nginx sendfile, the same bytes from files", "MB/s",
            Aim.AtLeast(0.9), pairs, notes),
        result => result.MegabytesPerSecond);

    private static async Task<IReadOnlyList<IReport>> RunAsync(
        Extent extent, int connections, int seconds,
        Func<HttpClient, JsonObject, string, Task<string[]>> paths,
        Func<IReadOnlyList<Pair>, IReadOnlyList<string>, Figures> report, Func<WrkResult, double> figure)
    {
        using var folder = new TempFolder();
        var clip = Path.Combine(folder.Path, "clip.mp4");
        await BenchClip.MakeAsync(clip, seconds, extent.Of("1920x1080", "640x360"));
        await using var platform = await PlatformProcess.StartAsync(Path.Combine(folder.Path, "data"));
        var id = await platform.Api.UploadAsync(clip, patchBytes: 64 << 20, metadata: ("policy", Signed));
        var media = await platform.Api.WaitForAsync(id, "ready");
        using var granted = await platform.Http.PostAsJsonAsync($"/v1/media/{id}/playback", new { ttl_seconds = 3600 });
        var token = (string)(await granted.Content.ReadFromJsonAsync<JsonObject>())!["token"]!;
        var asked = await paths(platform.Http, media, token);
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var path in asked)
        {
            files[path.Split('?')[0]] = await platform.Http.GetByteArrayAsync(path);
        }

        await using var nginx = await Nginx.StartAsync(Path.Combine(folder.Path, "nginx"), files);
        var wrk = new Wrk(folder.Path, connections, extent.Of(RunTime, ShortRunTime));
        Side ours = new("ours", platform.Http.BaseAddress!, platform.ProcessId, asked);
        Side peer = new("nginx", nginx.Address, nginx.ProcessId, [.. files.Keys]);
        // Neither is measured while it compiles itself or fills its caches.
        await wrk.RunAsync(ours.Server, ours.Paths);
        await wrk.RunAsync(peer.Server, peer.Paths);
        var pairs = new List<Pair>();
        for (var i = 0; i < extent.Pairs; i++)
        {
            pairs.Add(new Pair(figure(await ours.MeasureAsync(wrk)), figure(await peer.MeasureAsync(wrk))));
            Console.Error.WriteLine($"pair {i + 1} of {extent.Pairs}: {pairs[^1].Ours:0} and {pairs[^1].Peer:0}");
        }

        return [report(pairs, [
            $"{Environment.ProcessorCount} cores for server and wrk together, unpinned; " +
                $"{connections} kept connections, {extent.Of(RunTime, ShortRunTime).TotalSeconds:0} s a run",
            $"files: {files.Count}, of {files.Values.Average(f => f.Length):0} bytes on average",
            ours.Says(),
            peer.Says(),
            $"by processor time of the server alone, ours over nginx's: {ours.CpuPerRequest / peer.CpuPerRequest:0.00}",
        ])];
    }

    private static async Task<string[]> SegmentsAsync(HttpClient http, JsonObject media, string token, Extent extent)
    {
        var best = media["renditions"]!.AsArray().Where(r => (string)r!["kind"]! == "video")
            .MaxBy(r => (int)r!["height"]!)!;
        var found = new List<string>();
        for (var n = 1; n <= (int)best["segments"]!; n++)
        {
            var path = $"/play/{media["media_id"]}/{media["version"]}/{best["id"]}/{n}.m4s?token={token}";
            using var answer = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
            if (extent.Short || answer.Content.Headers.ContentLength is >= LeastSegmentBytes and <= MostSegmentBytes)
            {
                found.Add(path);
            }
        }

        return found.Count > 0
            ? [.. found]
            : throw new InvalidOperationException("the clip has no segment of 1 to 4 MB: nothing to measure");
    }

    /// <summary>One of the two, and what all its runs came to.</summary>
    private sealed class Side(string name, Uri server, int processId, string[] paths)
    {
        private readonly List<WrkResult> results = [];
        private double cpuSeconds;

        public Uri Server => server;

        public string[] Paths => paths;

        public double CpuPerRequest => cpuSeconds / results.Sum(result => result.Requests);

        public async Task<WrkResult> MeasureAsync(Wrk wrk)
        {
            var before = ProcessUse.CpuSeconds(processId);
            results.Add(await wrk.RunAsync(server, paths));
            cpuSeconds += ProcessUse.CpuSeconds(processId) - before;
            return results[^1];
        }

        public string Says() =>
            $"{name}: p50 {Figures.Median(results.Select(r => r.P50 / 1000.0)):0.00} ms, " +
            $"p99 {Figures.Median(results.Select(r => r.P99 / 1000.0)):0.00} ms; " +
            $"{cpuSeconds / results.Sum(r => r.Microseconds / 1e6):0.00} cores, " +
            $"{CpuPerRequest * 1e6:0} µs of processor time a request";
    }
}
