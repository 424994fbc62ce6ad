using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// Which instruments are kept and under which name: all of ours, and of the framework's those that are named here.
/// Every metric has at most <see cref="SeriesLimit"/> series; what comes beyond is summed up in one series with the
/// label otel_metric_overflow.
/// </summary>
internal static class MetricViews
{
    /// <summary>Series of one metric. Labels come from code, never from requests, so it is never reached.</summary>
    public const int SeriesLimit = 500;

    private const string Ours = "Hexcast.";
    private const string Hosting = "Microsoft.AspNetCore.Hosting";
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel";
    private const string Runtime = "System.Runtime";

    public static readonly string[] Meters = [Ours + "*", Hosting, Kestrel, Runtime];

    private static readonly FrozenDictionary<string, Kept> Framework = new Dictionary<string, Kept>
    {
        ["http.server.request.duration"] = new(
            "http.request.duration", ["http.request.method", "http.route", "http.response.status_code"]),
        ["http.server.active_requests"] = new("http.active.requests", []),
        ["kestrel.active_connections"] = new("http.active.connections", ["server.port"]),
        ["dotnet.process.cpu.time"] = new("process.cpu.time", ["cpu.mode"]),
        ["dotnet.process.memory.working_set"] = new("process.memory.working_set", []),
        ["dotnet.gc.collections"] = new("dotnet.gc.collections", ["gc.heap.generation"]),
        ["dotnet.gc.heap.total_allocated"] = new("dotnet.gc.allocated", []),
        ["dotnet.gc.last_collection.heap.size"] = new("dotnet.gc.heap.size", ["gc.heap.generation"]),
        ["dotnet.gc.pause.time"] = new("dotnet.gc.pause", []),
        ["dotnet.thread_pool.thread.count"] = new("dotnet.thread_pool.threads", []),
        ["dotnet.thread_pool.queue.length"] = new("dotnet.thread_pool.queue.length", []),
        ["dotnet.monitor.lock_contentions"] = new("dotnet.lock.contentions", []),
        ["dotnet.exceptions"] = new("dotnet.exceptions", []),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The runtime has these as counters, though they fall too.</summary>
    private static readonly string[] Falling = ["dotnet.thread_pool.threads", "dotnet.thread_pool.queue.length"];

    private sealed record Kept(string Name, string[] Labels);

    public static bool Falls(string metric) => Falling.Contains(metric, StringComparer.Ordinal);

    public static MetricStreamConfiguration? Of(Instrument instrument)
    {
        if (instrument.Meter.Name.StartsWith(Ours, StringComparison.Ordinal))
        {
            return new MetricStreamConfiguration { CardinalityLimit = SeriesLimit };
        }

        return Framework.TryGetValue(instrument.Name, out var kept)
            ? new MetricStreamConfiguration
            {
                Name = kept.Name,
                TagKeys = kept.Labels,
                CardinalityLimit = SeriesLimit,
            }
            : MetricStreamConfiguration.Drop;
    }
}
