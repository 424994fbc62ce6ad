using System.Text;

namespace Hexcast.Platform.Telemetry;

/// <summary>
/// OpenTelemetry's names as Prometheus wants them; see its specification, "Prometheus and OpenMetrics Compatibility".
/// </summary>
internal static class PrometheusNames
{
    /// <returns>"hls_segment_latency_seconds" and "seconds" for hls.segment.latency in s.</returns>
    public static (string Name, string Unit) Of(string name, string unit)
    {
        var plain = Sanitize(name);
        var word = unit switch
        {
            "s" => "seconds",
            "By" => "bytes",
            "1" => "ratio",
            // "{task}" and the like only say what is counted.
            _ => "",
        };
        return word.Length == 0 || plain.EndsWith("_" + word, StringComparison.Ordinal)
            ? (plain, word)
            : ($"{plain}_{word}", word);
    }

    /// <summary>[a-zA-Z_][a-zA-Z0-9_]*</summary>
    public static string Sanitize(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            text.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }

        return text.Length > 0 && char.IsAsciiDigit(text[0]) ? "_" + text : text.ToString();
    }

    public static string EscapeLabel(string value) => value
        .Replace("\\", @"\\", StringComparison.Ordinal)
        .Replace("\n", @"\n", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal);

    public static string EscapeHelp(string value) => value
        .Replace("\\", @"\\", StringComparison.Ordinal)
        .Replace("\n", @"\n", StringComparison.Ordinal);
}
