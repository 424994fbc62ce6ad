using System.ComponentModel.DataAnnotations;

namespace Hexcast.Platform.Telemetry;

public enum OtlpProtocol
{
    HttpProtobuf,
    Grpc,
}

/// <summary>Who may read /metrics without a token.</summary>
public enum MetricsAccess
{
    /// <summary>This machine may; everybody else needs a token that may read.</summary>
    Loopback,

    /// <summary>Everybody needs one.</summary>
    Token,
}

/// <summary>
/// Where traces go and who reads metrics. What is not set here comes from the standard OTEL_* variables, where they
/// speak of the same.
/// </summary>
public sealed record TelemetryOptions : IValidatableObject
{
    private const int SpanQueueFloor = 512;
    private const int SpanQueueCeiling = 65_536;

    /// <summary>The receiver of traces; empty: OTEL_EXPORTER_OTLP_ENDPOINT, and without that nowhere.</summary>
    public string OtlpEndpoint { get; set; } = "";

    /// <summary>Only with OtlpEndpoint.</summary>
    public OtlpProtocol OtlpProtocol { get; set; } = OtlpProtocol.HttpProtobuf;

    /// <summary>"name=value,name=value", for a receiver that wants a key. Secret.</summary>
    public string OtlpHeaders { get; set; } = "";

    /// <summary>Of the traces that begin here; one that a client began is followed as the client says.</summary>
    [Range(0, 1, ErrorMessage = "0 to 1: the part of the traces that is recorded")]
    public double SampleRatio { get; set; } = 1;

    /// <summary>Spans that wait for the receiver; more are dropped.</summary>
    [Range(SpanQueueFloor, SpanQueueCeiling, ErrorMessage = "512 to 65536 spans")]
    public int SpanQueueLimit { get; set; } = 2048;

    public MetricsAccess MetricsAccess { get; set; } = MetricsAccess.Loopback;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (OtlpEndpoint.Length > 0
            && !(Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out var address)
                && (address.Scheme is "http" or "https")))
        {
            yield return new ValidationResult("an address such as http://127.0.0.1:4318", [nameof(OtlpEndpoint)]);
        }
    }
}
