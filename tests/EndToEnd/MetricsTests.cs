using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hexcast.EndToEnd;

/// <summary>/metrics, and what deploy/observability makes of it.</summary>
public sealed partial class MetricsTests(ObservedPlatform observed) : IClassFixture<ObservedPlatform>
{
    private const string Crockford = "0123456789abcdefghjkmnpqrstvwxyz";

    [Fact]
    public async Task Promtool_has_nothing_against_the_metrics()
    {
        using var answer = await observed.Platform.Http.GetAsync("/metrics");
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        (await Promtool.RunAsync(await answer.Content.ReadAsStringAsync(), "check", "metrics")).ShouldBeEmpty();
    }

    [Fact]
    public async Task OpenMetrics_comes_where_it_is_asked_for()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.5");
        using var answer = await observed.Platform.Http.SendAsync(request);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/openmetrics-text");
        var text = await answer.Content.ReadAsStringAsync();
        text.ShouldContain("# TYPE upload_received_bytes counter\n# UNIT upload_received_bytes bytes\n");
        text.ShouldContain("\nupload_received_bytes_total ");
        text.ShouldEndWith("# EOF\n");
    }

    [Fact]
    public async Task What_has_happened_is_counted()
    {
        var metrics = await observed.ScrapeAsync();
        metrics.Value("catalog_media{state=\"ready\"}").ShouldBe(1);
        metrics.Value("transcode_jobs_ended_total{outcome=\"done\"}").ShouldBe(1);
        metrics.Value("upload_published_total{outcome=\"ok\"}").ShouldBe(1);
        metrics.Value("upload_received_bytes_total").ShouldBe(
            new FileInfo(Path.Combine(observed.Folder, "clip.mp4")).Length);
        metrics.Value("task_duration_seconds_count{kind=\"probe\",outcome=\"committed\"}").ShouldBe(1);
        metrics.Value("hls_segment_latency_seconds_count{object=\"segment\"}").ShouldBeGreaterThanOrEqualTo(1);
        metrics.Value("transcode_queue_length{class=\"hd\"}").ShouldBe(0);
        metrics.Value("transcode_workers{state=\"connected\"}").ShouldBe(1);
        metrics.Value("master_leads").ShouldBe(1);
        metrics.Value("outbox_rows{kind=\"media.uploaded\"}").ShouldBe(0);
        metrics.Value("disk_free_bytes").ShouldBeGreaterThan(0);
    }

    /// <summary>Whatever clients write into ids, paths, methods and headers, there are not more series than before.
    /// </summary>
    [Fact]
    public async Task Thousands_of_ids_paths_methods_and_headers_make_no_series()
    {
        await HurlAsync(0, 300);
        var before = await observed.ScrapeAsync();
        await HurlAsync(300, 3000);
        var after = await observed.ScrapeAsync();

        var mine = (string[])["http_", "hls_", "playback_", "upload_", "rpc_"];
        after.Series.Except(before.Series).Where(s => mine.Any(m => s.StartsWith(m, StringComparison.Ordinal)))
            .ShouldBeEmpty();
        after.Series.Count.ShouldBeLessThan(3000);
        after.Series.ShouldAllBe(s => !s.Contains("hurled") && !s.Contains("overflow"));
    }

    [Fact]
    public async Task The_documentation_names_every_metric_and_no_other()
    {
        var metrics = await observed.ScrapeAsync();
        var document = await File.ReadAllTextAsync(
            Path.Combine(ObservedPlatform.Sources, "../../docs/operations/observability.md"));
        var documented = DocumentRow().Matches(document).Select(row => row.Groups["name"].Value).ToList();
        metrics.Families.Except(documented).ShouldBeEmpty("add a row for each to docs/operations/observability.md");
        documented.Except(metrics.Families).ShouldBeEmpty("nothing exposes these any more");
    }

    [Fact]
    public async Task A_real_Prometheus_takes_the_configuration_and_answers_every_panel()
    {
        var folder = Directory.CreateDirectory(Path.Combine(observed.Folder, "prometheus")).FullName;
        await using var prometheus = await Prometheus.StartAsync(
            folder, Path.Combine(ObservedPlatform.Sources, "prometheus"), observed.Platform.Http.BaseAddress!);
        await prometheus.WaitForAsync("playback:errors:ratio_rate5m");
        await prometheus.WaitForAsync("coordinator:fsync:p99_5m");
        (await prometheus.QueryAsync("catalog_media{state=\"ready\"}"))[0]!["value"]![1]!.GetValue<string>()
            .ShouldBe("1");
        (await prometheus.QueryAsync("ALERTS{severity=\"page\",alertstate=\"firing\"}")).ShouldBeEmpty();

        var metrics = await observed.ScrapeAsync();
        foreach (var (where, expression) in Panels())
        {
            Unknown(metrics, expression).ShouldBeEmpty(where);
            await prometheus.QueryAsync(expression
                .Replace("$instance", ".*", StringComparison.Ordinal)
                .Replace("$__rate_interval", "1m", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Rules_and_alerts_pass_their_own_tests()
    {
        var folder = Path.Combine(ObservedPlatform.Sources, "prometheus");
        await Promtool.RunAsync(null, "check", "config", Path.Combine(folder, "prometheus.yml"));
        await Promtool.RunAsync(null, "test", "rules", Path.Combine(folder, "tests/alerts_test.yml"));
        var tests = await File.ReadAllTextAsync(Path.Combine(folder, "tests/alerts_test.yml"));
        var alerts = await File.ReadAllTextAsync(Path.Combine(folder, "alerts.yml"));
        var rules = await File.ReadAllTextAsync(Path.Combine(folder, "rules.yml"));
        AlertName().Matches(alerts).Select(m => m.Groups["name"].Value).Where(name => !tests.Contains(name))
            .ShouldBeEmpty("an alert without a test");
        var metrics = await observed.ScrapeAsync();
        Unknown(metrics, alerts + rules).ShouldBeEmpty();
    }

    private async Task HurlAsync(int from, int count)
    {
        var random = new Random(from + 1);
        for (var i = from; i < from + count; i++)
        {
            var id = $"hurled{random.Next():x8}{i:x8}";
            var media = "0" + string.Concat(Enumerable.Range(0, 25).Select(_ => Crockford[random.Next(32)]));
            var (method, path) = (i % 12) switch
            {
                0 => ("GET", $"/v1/media/{media}"),
                1 => ("GET", $"/play/{media}/master.m3u8?token={id}"),
                2 => ("GET", $"/play/{media}/{id}/{id}/1.m4s"),
                3 => ("GET", $"/{id}"),
                4 => ("HEAD", $"/v1/uploads/{media}"),
                5 => ("PATCH", $"/v1/uploads/{media}"),
                6 => ("POST", $"/v1/media/{media}/playback"),
                7 => (id.ToUpperInvariant(), "/v1/media"),
                8 => ("GET", $"/watch/{media}"),
                9 => ("GET", $"/v1/media?q={id}&tag={id}"),
                10 => ("DELETE", $"/v1/media/{media}"),
                _ => ("GET", $"/assets/{id}/{id}.js"),
            };
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.TryAddWithoutValidation("User-Agent", id);
            request.Headers.TryAddWithoutValidation("X-" + id, id);
            request.Headers.TryAddWithoutValidation("X-QoS-Priority", id);
            using var answer = await observed.Platform.Http.SendAsync(request);
            answer.StatusCode.ShouldNotBe(HttpStatusCode.InternalServerError, $"{method} {path}");
        }
    }

    private static IEnumerable<(string Where, string Expression)> Panels() =>
        from file in Directory.GetFiles(Path.Combine(ObservedPlatform.Sources, "grafana"), "*.json")
        let dashboard = JsonNode.Parse(File.ReadAllText(file))!
        from panel in dashboard["panels"]!.AsArray()
        from target in panel!["targets"]!.AsArray()
        select ($"{Path.GetFileName(file)}: {panel["title"]}", (string)target!["expr"]!);

    /// <summary>Names in expressions that are no metric: neither exposed nor recorded, nor a label.</summary>
    private static IEnumerable<string> Unknown(Exposition metrics, string expressions) =>
        MetricName().Matches(expressions).Select(m => m.Value).Distinct()
            .Where(name => !metrics.Has(name) && !metrics.Labels.Contains(name));

    // Every metric of ours or of the runtime begins with one of these.
    [GeneratedRegex(
        @"(?<![:\w])(http|hls|playback|upload|outbox|catalog|media|transcode|task|tool|worker|coordinator|object_store"
        + @"|disk|dotnet|process|rpc|hexcast|master)_[a-z0-9_]+(?![:\w])",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MetricName();

    [GeneratedRegex("^ +- alert: (?<name>\\w+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex AlertName();

    [GeneratedRegex("^\\| `(?<name>[a-z_0-9]+)` \\| (counter|gauge|histogram) \\|",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex DocumentRow();
}
