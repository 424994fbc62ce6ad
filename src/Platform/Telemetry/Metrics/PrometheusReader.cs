using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Hexcast.Platform.Telemetry;

/// <summary>Collects when somebody asks, and only then: nothing is aggregated in the background.</summary>
internal sealed class PrometheusReader : BaseExportingMetricReader
{
    /// <summary>Of one scrape; more is a defect, and the scrape says so rather than growing.</summary>
    public const int FamilyLimit = 1000;

    private const int CollectLimitMs = 5000;

    private readonly SnapshotExporter snapshots;
    private readonly Lock turn = new();

    public PrometheusReader() : this(new SnapshotExporter())
    {
    }

    private PrometheusReader(SnapshotExporter exporter) : base(exporter) => snapshots = exporter;

    /// <summary>Everything as of now, in the order of names.</summary>
    public IReadOnlyList<MetricFamily> Snapshot()
    {
        lock (turn)
        {
            snapshots.Families = [];
            // Not our own Collect: the SDK lets only its delegate collect for a pull.
            return snapshots.Collect!(CollectLimitMs)
                ? snapshots.Families
                : throw new InvalidOperationException("The metrics cannot be read.");
        }
    }

    [ExportModes(ExportModes.Pull)]
    private sealed class SnapshotExporter : BaseExporter<Metric>, IPullMetricExporter
    {
        public IReadOnlyList<MetricFamily> Families { get; set; } = [];

        public Func<int, bool>? Collect { get; set; }

        public override ExportResult Export(in Batch<Metric> batch)
        {
            var families = new SortedDictionary<string, MetricFamily>(StringComparer.Ordinal);
            foreach (var metric in batch)
            {
                if (families.Count == FamilyLimit)
                {
                    return ExportResult.Failure;
                }

                Add(families, metric);
            }

            Families = [.. families.Values];
            return ExportResult.Success;
        }

        // Two meters may have an instrument of one name: they are one family, and of one series the first counts.
        private static void Add(SortedDictionary<string, MetricFamily> families, Metric metric)
        {
            var (name, unit) = PrometheusNames.Of(metric.Name, metric.Unit);
            var kind = Kind(metric);
            if (!families.TryGetValue(name, out var family))
            {
                family = new MetricFamily(name, kind, unit, metric.Description);
                families.Add(name, family);
            }

            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                var series = Read(metric.MetricType, in point);
                if (family.Kind == kind && family.Series.TrueForAll(s => s.Labels != series.Labels))
                {
                    family.Series.Add(series);
                }
            }
        }

        private static FamilyKind Kind(Metric metric) => metric.MetricType switch
        {
            _ when MetricViews.Falls(metric.Name) => FamilyKind.Gauge,
            MetricType.LongSum or MetricType.DoubleSum => FamilyKind.Counter,
            MetricType.Histogram => FamilyKind.Histogram,
            _ => FamilyKind.Gauge,
        };

        private static Series Read(MetricType type, in MetricPoint point)
        {
            var labels = Labels(point.Tags);
            switch (type)
            {
                case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                    return new Series(labels, point.GetSumLong());
                case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                    return new Series(labels, point.GetSumDouble());
                case MetricType.LongGauge:
                    return new Series(labels, point.GetGaugeLastValueLong());
                case MetricType.DoubleGauge:
                    return new Series(labels, point.GetGaugeLastValueDouble());
                case MetricType.Histogram:
                    var buckets = new List<(double, long)>();
                    var below = 0L;
                    foreach (var bucket in point.GetHistogramBuckets())
                    {
                        below += bucket.BucketCount;
                        buckets.Add((bucket.ExplicitBound, below));
                    }

                    return new Series(labels, point.GetHistogramSum(), buckets);
                default:
                    throw new InvalidOperationException($"A {type} has no form here.");
            }
        }

        private static string Labels(ReadOnlyTagCollection tags)
        {
            var labels = new List<string>();
            foreach (var (name, value) in tags)
            {
                var text = value is bool yes
                    ? yes ? "true" : "false"
                    : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "";
                labels.Add($"{PrometheusNames.Sanitize(name)}=\"{PrometheusNames.EscapeLabel(text)}\"");
            }

            labels.Sort(StringComparer.Ordinal);
            return string.Join(',', labels);
        }
    }
}
