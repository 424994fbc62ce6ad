using System.Diagnostics;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// Trace contexts as they are stored: W3C's traceparent (https://www.w3.org/TR/trace-context/). What requests bring is
/// read by the gRPC runtime's TraceHeaders.
/// </summary>
public static class TraceContexts
{
    /// <summary>Characters of a traceparent of version 00.</summary>
    public const int TraceparentLength = 55;

    /// <summary>What is going on, to be stored beside the work that follows from it; "" where nothing is.</summary>
    public static string Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id : "";

    /// <summary>
    /// A context that was stored or sent; default where there is none. Remote, wherever it comes from: so that what
    /// follows has a trace_id in its log lines also where nothing is recorded.
    /// </summary>
    public static ActivityContext Parse(string? traceparent) =>
        traceparent is { Length: > 0 }
        && ActivityContext.TryParse(traceparent, null, isRemote: true, out var context)
            ? context
            : default;

    public static bool IsValid(this ActivityContext context) =>
        context.TraceId != default && context.SpanId != default;
}
