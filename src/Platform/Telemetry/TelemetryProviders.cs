using Hexcast.Platform.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// OpenTelemetry's SDK for this node. Without a receiver nothing is recorded, but contexts are still made and handed
/// on, so that log lines of one upload have one trace_id. With one, spans wait in a bounded queue on a thread of the
/// SDK's own: a receiver that is away costs dropped spans and nothing else.
/// </summary>
internal sealed class TelemetryProviders : IDisposable
{
    private const string ServiceName = "hexcast";
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ExportLimit = TimeSpan.FromSeconds(4);

    private readonly TracerProvider traces;
    private readonly MeterProvider metrics;

    public TelemetryProviders(TelemetryOptions options, NodeSettings node, PrometheusReader reader)
    {
        var exporting = Exports(options);
        var builder = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(Resource(node))
            .AddSource("Hexcast.*");
        if (Environment.GetEnvironmentVariable("OTEL_TRACES_SAMPLER") is null || !exporting)
        {
            builder.SetSampler(new ParentBasedSampler(
                exporting ? new TraceIdRatioBasedSampler(options.SampleRatio) : new AlwaysOffSampler()));
        }

        traces = (exporting ? builder.AddOtlpExporter(otlp => Configure(otlp, options)) : builder).Build();
        metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(Resource(node))
            .AddMeter(MetricViews.Meters)
            .AddView(MetricViews.Of)
            .AddReader(reader)
            .Build();
    }

    public void Dispose()
    {
        traces.Shutdown((int)FlushLimit.TotalMilliseconds);
        traces.Dispose();
        metrics.Dispose();
    }

    private static bool Exports(TelemetryOptions options) =>
        !string.Equals(
            Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)
        && (options.OtlpEndpoint.Length > 0
            || Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 }
            || Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") is { Length: > 0 });

    // What the option does not set the SDK takes from OTEL_EXPORTER_OTLP_*.
    private static void Configure(OtlpExporterOptions otlp, TelemetryOptions options)
    {
        if (options.OtlpEndpoint.Length > 0)
        {
            var grpc = options.OtlpProtocol == OtlpProtocol.Grpc;
            var endpoint = new Uri(options.OtlpEndpoint);
            otlp.Protocol = grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
            otlp.Endpoint = grpc || endpoint.AbsolutePath != "/" ? endpoint : new Uri(endpoint, "/v1/traces");
        }

        if (options.OtlpHeaders.Length > 0)
        {
            otlp.Headers = options.OtlpHeaders;
        }

        // Shorter than the flush at the end: a receiver that accepts and never answers does not hold the node.
        otlp.TimeoutMilliseconds = (int)ExportLimit.TotalMilliseconds;
        otlp.BatchExportProcessorOptions.MaxQueueSize = options.SpanQueueLimit;
    }

    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win: whoever runs the node sets them.
    private static ResourceBuilder Resource(NodeSettings node) => ResourceBuilder.CreateEmpty()
        .AddTelemetrySdk()
        .AddService(
            ServiceName, serviceVersion: BuildInfo.Current.Version,
            autoGenerateServiceInstanceId: false, serviceInstanceId: node.NodeId)
        .AddEnvironmentVariableDetector();
}
