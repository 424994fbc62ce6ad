using System.Globalization;
using System.Text;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// The two forms that scrapers take: Prometheus's text 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/) and OpenMetrics 1.0.0 where it is asked for.
/// </summary>
internal static class PrometheusText
{
    public const string Plain = "text/plain; version=0.0.4; charset=utf-8";
    public const string OpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    public static string Write(IReadOnlyList<MetricFamily> families, bool openMetrics)
    {
        var text = new StringBuilder(64 * 1024);
        foreach (var family in families)
        {
            var sample = family.Kind == FamilyKind.Counter ? family.Name + "_total" : family.Name;
            var name = openMetrics ? family.Name : sample;
            text.Append($"# HELP {name} {PrometheusNames.EscapeHelp(family.Help)}\n");
            text.Append($"# TYPE {name} {Word(family.Kind)}\n");
            if (openMetrics && family.Unit.Length > 0)
            {
                text.Append($"# UNIT {name} {family.Unit}\n");
            }

            foreach (var series in family.Series)
            {
                Write(text, sample, series);
            }
        }

        return openMetrics ? text.Append("# EOF\n").ToString() : text.ToString();
    }

    private static void Write(StringBuilder text, string name, Series series)
    {
        if (series.Buckets is null)
        {
            Line(text, name, series.Labels, series.Value);
            return;
        }

        foreach (var (bound, count) in series.Buckets)
        {
            var le = $"le=\"{Number(bound)}\"";
            Line(text, name + "_bucket", series.Labels.Length == 0 ? le : $"{series.Labels},{le}", count);
        }

        Line(text, name + "_sum", series.Labels, series.Value);
        Line(text, name + "_count", series.Labels, series.Buckets[^1].Count);
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Word(FamilyKind kind) => kind switch
    {
        FamilyKind.Counter => "counter",
        FamilyKind.Histogram => "histogram",
        _ => "gauge",
    };
}
