namespace Hexcast.Harness.Otlp;

/// <summary>A span as it arrived. Ids in lower-case hexadecimal; Parent is "" for a root.</summary>
public sealed record ReceivedSpan(
    string Name, string TraceId, string SpanId, string Parent, string Scope, DateTimeOffset Start, DateTimeOffset End,
    IReadOnlyDictionary<string, string> Tags, IReadOnlyList<string> LinkedTraces, bool Failed,
    IReadOnlyDictionary<string, string> Resource)
{
    public static IEnumerable<ReceivedSpan> Of(ExportTraceServiceRequest request) =>
        from resource in request.ResourceSpans
        from scope in resource.ScopeSpans
        from span in scope.Spans
        select new ReceivedSpan(
            span.Name, Hex(span.TraceId), Hex(span.SpanId), Hex(span.ParentSpanId), scope.Scope.Name,
            Time(span.StartTimeUnixNano), Time(span.EndTimeUnixNano), TagsOf(span.Attributes),
            [.. span.Links.Select(link => Hex(link.TraceId))], span.Status?.Code == ErrorStatus,
            TagsOf(resource.Resource.Attributes));

    private const int ErrorStatus = 2;

    public override string ToString() => $"{Name} {SpanId} < {Parent} ({Start:O}–{End:O}) {string.Join(' ', Tags)}";

    private static string Hex(Google.Protobuf.ByteString id) => Convert.ToHexStringLower(id.Span);

    private static DateTimeOffset Time(ulong nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / TimeSpan.NanosecondsPerTick));

    private static Dictionary<string, string> TagsOf(IEnumerable<KeyValue> attributes) => attributes.ToDictionary(
        attribute => attribute.Key,
        attribute => attribute.Value.ValueCase switch
        {
            AnyValue.ValueOneofCase.StringValue => attribute.Value.StringValue,
            AnyValue.ValueOneofCase.BoolValue => attribute.Value.BoolValue ? "true" : "false",
            AnyValue.ValueOneofCase.IntValue => $"{attribute.Value.IntValue}",
            AnyValue.ValueOneofCase.DoubleValue => $"{attribute.Value.DoubleValue}",
            _ => "",
        },
        StringComparer.Ordinal);
}
