using System.Diagnostics.Metrics;
using Hexcast.Platform.Telemetry;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Hexcast.Platform.Tests.Telemetry;

public sealed class PrometheusTests
{
    [Theory]
    [InlineData("hls.segment.latency", "s", "hls_segment_latency_seconds")]
    [InlineData("upload.received", "By", "upload_received_bytes")]
    [InlineData("disk.free_bytes", "By", "disk_free_bytes")]
    [InlineData("worker.slots", "{slot}", "worker_slots")]
    [InlineData("cache.hits", "1", "cache_hits_ratio")]
    [InlineData("2.fast-for.you", "", "_2_fast_for_you")]
    public void Names_and_units_become_those_of_Prometheus(string name, string unit, string expected) =>
        PrometheusNames.Of(name, unit).Name.ShouldBe(expected);

    [Fact]
    public void The_text_is_what_the_format_says()
    {
        var counter = new MetricFamily("calls", FamilyKind.Counter, "", "What \\ was\ncalled");
        counter.Series.Add(new Series("a=\"" + PrometheusNames.EscapeLabel("q\"b\\n\nl") + "\"", 3));
        var histogram = new MetricFamily("wait_seconds", FamilyKind.Histogram, "seconds", "Waits");
        histogram.Series.Add(new Series("", 1.5, [(0.5, 1), (double.PositiveInfinity, 2)]));
        var gauge = new MetricFamily("load", FamilyKind.Gauge, "", "Load");
        gauge.Series.Add(new Series("", double.NaN));

        PrometheusText.Write([counter, gauge, histogram], openMetrics: false).ShouldBe(
            """
            # HELP calls_total What \\ was\ncalled
            # TYPE calls_total counter
            calls_total{a="q\"b\\n\nl"} 3
            # HELP load Load
            # TYPE load gauge
            load NaN
            # HELP wait_seconds Waits
            # TYPE wait_seconds histogram
            wait_seconds_bucket{le="0.5"} 1
            wait_seconds_bucket{le="+Inf"} 2
            wait_seconds_sum 1.5
            wait_seconds_count 2

            """);
        var open = PrometheusText.Write([counter, histogram], openMetrics: true);
        open.ShouldStartWith("# HELP calls What");
        open.ShouldContain("# UNIT wait_seconds seconds\n");
        open.ShouldEndWith("# EOF\n");
    }

    [Fact]
    public void A_label_that_anybody_could_choose_is_cut_off_at_the_limit_and_nothing_is_lost()
    {
        using var meter = new Meter("Hexcast.Flood");
        using var reader = new PrometheusReader();
        using var provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter("Hexcast.Flood").AddView(MetricViews.Of).AddReader(reader).Build();
        var counter = meter.CreateCounter<long>("flood");
        for (var i = 0; i < 10 * MetricViews.SeriesLimit; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("id", i));
        }

        var flood = reader.Snapshot().ShouldHaveSingleItem();
        flood.Series.Count.ShouldBeLessThanOrEqualTo(MetricViews.SeriesLimit + 1);
        flood.Series.Count(s => s.Labels == "otel_metric_overflow=\"true\"").ShouldBe(1);
        flood.Series.Sum(s => s.Value).ShouldBe(10 * MetricViews.SeriesLimit);
    }

    [Fact]
    public void An_instrument_of_the_framework_that_nobody_chose_is_not_exposed()
    {
        using var meter = new Meter("System.Runtime.Test");
        MetricViews.Of(meter.CreateCounter<long>("dotnet.unknown")).ShouldBe(MetricStreamConfiguration.Drop);
        MetricViews.Of(meter.CreateCounter<long>("dotnet.exceptions"))!.CardinalityLimit
            .ShouldBe(MetricViews.SeriesLimit);
    }
}
