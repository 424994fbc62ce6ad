using System.Diagnostics.Metrics;
using System.Net;
using Hexcast.Platform.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hexcast.Platform.Telemetry;

/// <summary>Answers a scrape: first the probes, then everything that the instruments know.</summary>
internal sealed class MetricsEndpoint(
    IEnumerable<IScrapeProbe> probes,
    PrometheusReader reader,
    TelemetryOptions options,
    TimeProvider clock,
    ILogger<MetricsEndpoint> log)
    : IDisposable
{
    /// <summary>Of all probes together: what does not answer by then is told as it was.</summary>
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(2);

    private static readonly Meter Meter = new("Hexcast.Node");

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "metrics.probe.failures", "{failure}", "Scrapes for which a role could not be asked: its gauges are old");

    private readonly IScrapeProbe[] probes = [.. probes];
    private readonly SemaphoreSlim turn = new(1, 1);

    public static void Zero() => Failures.Add(0);

    public async Task AnswerAsync(HttpContext context)
    {
        if (options.MetricsAccess != MetricsAccess.Loopback || !IsLocal(context))
        {
            await context.RequireScopeAsync(Scope.Read);
        }

        var families = await MeasureAsync(context.RequestAborted);
        var open = context.Request.Headers.Accept.ToString()
            .Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        context.Response.ContentType = open ? PrometheusText.OpenMetrics : PrometheusText.Plain;
        await context.Response.WriteAsync(PrometheusText.Write(families, open), context.RequestAborted);
    }

    /// <summary>One at a time: whoever comes meanwhile waits for a fresh one.</summary>
    public async Task<IReadOnlyList<MetricFamily>> MeasureAsync(CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            using var limit = new CancellationTokenSource(ProbeLimit, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
            await Task.WhenAll(probes.Select(probe => MeasureAsync(probe, either.Token)));
            return reader.Snapshot();
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    /// <summary>
    /// True: this machine asks, and not for somebody else. A reverse proxy on this machine says whom it speaks for.
    /// </summary>
    public static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && !context.Request.Headers.ContainsKey("X-Forwarded-For")
        && !context.Request.Headers.ContainsKey("Forwarded");

    private async Task MeasureAsync(IScrapeProbe probe, CancellationToken cancel)
    {
        try
        {
            await probe.MeasureAsync(cancel).WaitAsync(cancel);
        }
        // The boundary of a probe: a role that cannot answer now must not hide what the others know.
        catch (Exception failure)
        {
            Failures.Add(1);
            log.LogDebug(failure, "{Probe} could not measure", probe.GetType().Name);
        }
    }
}
