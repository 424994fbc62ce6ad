using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace Hexcast.Grpc;

/// <summary>
/// What a caller says that its request belongs to: W3C's traceparent (https://www.w3.org/TR/trace-context/), or B3's
/// one header or several (https://github.com/openzipkin/b3-propagation).
/// </summary>
public static class TraceHeaders
{
    internal const string Traceparent = "traceparent";
    internal const string Tracestate = "tracestate";
    const string B3 = "b3";
    const string B3Trace = "x-b3-traceid";
    const string B3Span = "x-b3-spanid";
    const string B3Sampled = "x-b3-sampled";

    const int TracestateLimit = 512;
    const int TraceIdDigits = 32;
    const int SpanIdDigits = 16;

    /// <summary>Default where there is none that can be understood.</summary>
    public static ActivityContext Read(IHeaderDictionary headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (headers.TraceParent is [{ } traceparent])
        {
            var state = headers.TraceState.ToString();
            return Parse(traceparent, state.Length is > 0 and <= TracestateLimit ? state : null);
        }

        if (headers.TryGetValue(B3, out var single) && single is [{ } joined])
        {
            var parts = joined.Split('-');
            return parts.Length >= 2 ? FromB3(parts[0], parts[1], parts.ElementAtOrDefault(2)) : default;
        }

        return headers.TryGetValue(B3Trace, out var trace) && headers.TryGetValue(B3Span, out var span)
            ? FromB3(trace, span, headers[B3Sampled])
            : default;
    }

    // All zeros, which are no context, can be parsed.
    static ActivityContext Parse(string traceparent, string? tracestate) =>
        ActivityContext.TryParse(traceparent, tracestate, isRemote: true, out var context)
        && context.TraceId != default && context.SpanId != default
            ? context
            : default;

    // An absent decision leaves it to us; B3 knows traces of 64 bits, which are padded.
    static ActivityContext FromB3(string? trace, string? span, string? sampled)
    {
        if (!IsHex(trace, SpanIdDigits, TraceIdDigits) || !IsHex(span, SpanIdDigits, SpanIdDigits))
            return default;
        return new ActivityContext(
            ActivityTraceId.CreateFromString(trace.ToLowerInvariant().PadLeft(TraceIdDigits, '0')),
            ActivitySpanId.CreateFromString(span.ToLowerInvariant()),
            sampled is null or "1" or "d" or "true" ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None,
            isRemote: true);
    }

    static bool IsHex([NotNullWhen(true)] string? text, int one, int other) =>
        text is not null && (text.Length == one || text.Length == other)
        && text.All(char.IsAsciiHexDigit) && text.Any(digit => digit != '0');
}
