using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// Trace contexts as they travel and are stored: W3C's traceparent (https://www.w3.org/TR/trace-context/). On the way
/// in B3 is understood too (https://github.com/openzipkin/b3-propagation).
/// </summary>
public static class TraceContexts
{
    /// <summary>Characters of a traceparent of version 00.</summary>
    public const int TraceparentLength = 55;

    private const int TraceStateLimit = 512;
    private const int TraceIdDigits = 32;
    private const int SpanIdDigits = 16;

    /// <summary>What is going on, to be stored beside the work that follows from it; "" where nothing is.</summary>
    public static string Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id : "";

    /// <summary>
    /// A context that was stored or sent; default where there is none. Remote, wherever it comes from: so that what
    /// follows has a trace_id in its log lines also where nothing is recorded.
    /// </summary>
    public static ActivityContext Parse(string? traceparent, string? traceState = null) =>
        traceparent is { Length: > 0 }
        && ActivityContext.TryParse(traceparent, traceState, isRemote: true, out var context)
            ? context
            : default;

    public static bool IsValid(this ActivityContext context) =>
        context.TraceId != default && context.SpanId != default;

    /// <summary>What the client says that this request belongs to.</summary>
    public static ActivityContext Of(IHeaderDictionary headers)
    {
        if (headers.TraceParent is [{ } traceparent])
        {
            var state = headers.TraceState.ToString();
            return Parse(traceparent, state.Length is > 0 and <= TraceStateLimit ? state : null);
        }

        if (headers.TryGetValue("b3", out var single) && single is [{ } joined])
        {
            var parts = joined.Split('-');
            return parts.Length >= 2 ? FromB3(parts[0], parts[1], parts.ElementAtOrDefault(2)) : default;
        }

        return headers.TryGetValue("X-B3-TraceId", out var trace) && headers.TryGetValue("X-B3-SpanId", out var span)
            ? FromB3(trace, span, headers["X-B3-Sampled"])
            : default;
    }

    // An absent decision leaves it to us; B3 knows traces of 64 bits, which are padded.
    private static ActivityContext FromB3(string? trace, string? span, string? sampled)
    {
        if (!IsHex(trace, SpanIdDigits, TraceIdDigits) || !IsHex(span, SpanIdDigits, SpanIdDigits))
        {
            return default;
        }

        return new ActivityContext(
            ActivityTraceId.CreateFromString(trace.ToLowerInvariant().PadLeft(TraceIdDigits, '0')),
            ActivitySpanId.CreateFromString(span.ToLowerInvariant()),
            sampled is null or "1" or "d" or "true" ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None,
            isRemote: true);
    }

    private static bool IsHex([NotNullWhen(true)] string? text, int one, int other) =>
        text is not null && (text.Length == one || text.Length == other)
        && text.All(char.IsAsciiHexDigit) && text.Any(digit => digit != '0');
}
