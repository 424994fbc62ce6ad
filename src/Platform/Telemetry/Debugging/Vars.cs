using System.Collections;
using System.Globalization;
using System.Reflection;
using Hexcast.Platform.Hosting;

namespace Hexcast.Platform.Telemetry;

/// <summary>A section of the configuration as the node uses it.</summary>
public sealed record OptionsInEffect(string Section, object Values)
{
    /// <summary>By name, secrets hidden.</summary>
    public IReadOnlyDictionary<string, object?> Shown() => Vars.Values(Values);

    /// <summary>What they would be if nobody had set any.</summary>
    public IReadOnlyDictionary<string, object?> Defaults() => Vars.Values(Activator.CreateInstance(Values.GetType())!);
}

/// <summary>GET /debug/vars: what somebody who looks for a fault asks first.</summary>
internal sealed class Vars(
    NodeSettings node, NodeRoles roles, NodeTelemetry self, MetricsEndpoint metrics, TimeProvider clock,
    IEnumerable<OptionsInEffect> options)
{
    private const string Redacted = "[redacted]";

    /// <summary>Parts of an option's name that say that its value is nobody's business.</summary>
    private static readonly string[] Secrets = ["secret", "password", "token", "credential", "headers", "apikey"];

    /// <summary>Metrics that say how much waits, and where.</summary>
    private static readonly string[] Depths = ["queue_length", "_rows", "_jobs", "_active", "_busy"];

    public async Task<object> DescribeAsync(CancellationToken cancel)
    {
        var families = await metrics.MeasureAsync(cancel);
        var memory = GC.GetGCMemoryInfo();
        return new
        {
            version = BuildInfo.Current.Version,
            commit = BuildInfo.Current.Commit,
            node_id = node.NodeId,
            roles = roles.Names,
            started_at = self.StartedAt,
            uptime_seconds = Math.Round((clock.GetUtcNow() - self.StartedAt).TotalSeconds, 3),
            process_id = Environment.ProcessId,
            processors = Environment.ProcessorCount,
            runtime = Environment.Version.ToString(),
            gc = new
            {
                server = System.Runtime.GCSettings.IsServerGC,
                collections = Enumerable.Range(0, GC.MaxGeneration + 1).Select(GC.CollectionCount),
                heap_bytes = GC.GetTotalMemory(forceFullCollection: false),
                committed_bytes = memory.TotalCommittedBytes,
                allocated_bytes = GC.GetTotalAllocatedBytes(),
                pause_percent = memory.PauseTimePercentage,
            },
            threads = new
            {
                pool = ThreadPool.ThreadCount,
                queued = ThreadPool.PendingWorkItemCount,
                completed = ThreadPool.CompletedWorkItemCount,
            },
            depths = families.Where(f => Depths.Any(end => f.Name.EndsWith(end, StringComparison.Ordinal)))
                .SelectMany(f => f.Series.Select(s =>
                    (Name: s.Labels.Length == 0 ? f.Name : $"{f.Name}{{{s.Labels}}}", s.Value)))
                .ToDictionary(depth => depth.Name, depth => depth.Value, StringComparer.Ordinal),
            options = options.OrderBy(o => o.Section, StringComparer.Ordinal)
                .ToDictionary(o => o.Section, o => Values(o.Values), StringComparer.Ordinal),
        };
    }

    public static IReadOnlyDictionary<string, object?> Values(object options) => options.GetType()
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property is { CanRead: true, CanWrite: true })
        .OrderBy(property => property.Name, StringComparer.Ordinal)
        .ToDictionary(
            property => property.Name,
            property => IsSecret(property) ? Hidden(property.GetValue(options)) : Plain(property.GetValue(options)),
            StringComparer.Ordinal);

    // A time that tokens last is no secret; texts of such names are.
    private static bool IsSecret(PropertyInfo property) =>
        property.PropertyType == typeof(string) &&
        Secrets.Any(part => property.Name.Contains(part, StringComparison.OrdinalIgnoreCase));

    private static string Hidden(object? value) => value is null or "" ? "" : Redacted;

    private static object? Plain(object? value) => value switch
    {
        null or string or bool => value is string text ? Logging.Redaction.Apply(text) : value,
        TimeSpan time => time.ToString("c", CultureInfo.InvariantCulture),
        Enum word => word.ToString(),
        int or long or double => value,
        IEnumerable many => many.Cast<object?>().Select(Plain).ToList(),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };
}
