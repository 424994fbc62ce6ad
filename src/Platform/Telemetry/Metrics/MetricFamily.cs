namespace Hexcast.Platform.Telemetry;

internal enum FamilyKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>A metric as Prometheus knows it. The name of a counter has no "_total" here.</summary>
internal sealed record MetricFamily(string Name, FamilyKind Kind, string Unit, string Help)
{
    public List<Series> Series { get; } = [];
}

/// <param name="Labels">As they are written, without the braces: a="x",b="y".</param>
/// <param name="Value">Of a histogram the sum.</param>
/// <param name="Buckets">Of a histogram: upper bound and what fell below it, cumulative, the last one infinite.</param>
internal sealed record Series(string Labels, double Value, IReadOnlyList<(double Bound, long Count)>? Buckets = null);
