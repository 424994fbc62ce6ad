using System.Globalization;
using Hexcast.Contracts.V1;

namespace Hexcast.Dashboard.Pages;

/// <summary>Figures and states in words, as wwwroot/format.js writes them too.</summary>
internal static class Words
{
    public const string Unknown = "–";

    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>Decimal units, as disks and networks are sold: "48.3 MB".</summary>
    public static string Size(long bytes)
    {
        double value = bytes;
        var unit = 0;
        while (value >= 1000 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        var format = unit == 0 || value >= 100 ? "0" : "0.0";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary>"0:07", "1:02:03": not rounded up, as the player tells it.</summary>
    public static string Clock(double seconds)
    {
        var whole = (long)Math.Floor(seconds);
        var (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
        return hours > 0 ? $"{hours}:{minutes:00}:{rest:00}" : $"{minutes}:{rest:00}";
    }

    /// <summary>"420 ms", "12.3 s", "4 min 5 s": how long something took.</summary>
    public static string Duration(double seconds)
    {
        var whole = (long)Math.Round(seconds, MidpointRounding.AwayFromZero);
        return seconds switch
        {
            < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0} ms"),
            < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
            < 3600 => $"{whole / 60} min {whole % 60} s",
            _ => $"{whole / 3600} h {whole / 60 % 60} min",
        };
    }

    public static string BitRate(long bitsPerSecond) => bitsPerSecond switch
    {
        <= 0 => Unknown,
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bitsPerSecond / 1e6:0.0} Mbit/s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bitsPerSecond / 1e3:0} kbit/s"),
    };

    public static string FrameRate(double framesPerSecond) => framesPerSecond > 0
        ? string.Create(CultureInfo.InvariantCulture, $"{framesPerSecond:0.###} fps") : "";

    /// <summary>For a time element's datetime.</summary>
    public static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>In UTC; where a script runs it becomes the viewer's own time.</summary>
    public static string Date(DateTimeOffset time) =>
        time.UtcDateTime.ToString("d MMM yyyy, HH:mm", CultureInfo.InvariantCulture);

    public static string Percent(double fraction) => $"{(int)Math.Floor(Math.Clamp(fraction, 0, 1) * 100)} %";

    public static string State(string state) => state switch
    {
        "uploaded" => "Waiting",
        "processing" => "Processing",
        "playable" => "Playable, still working",
        "ready" => "Ready",
        "failed" => "Failed",
        _ => state,
    };

    public static string Task(TaskKind kind) => kind switch
    {
        TaskKind.Probe => "Reading the source",
        TaskKind.EncodeChunk => "Encoding pictures",
        TaskKind.EncodeAudio => "Encoding sound",
        TaskKind.Poster => "Taking the poster",
        TaskKind.Storyboard => "Taking the storyboard",
        TaskKind.Subtitles => "Reading subtitles",
        TaskKind.Publish => "Checking the whole",
        _ => kind.ToString(),
    };

    public static string Class(string name) => name switch
    {
        "low_latency" => "Low latency",
        "hd" => "HD",
        "sd" => "SD",
        "background" => "Background",
        _ => name,
    };

    public static string Stage(string stage) => stage switch
    {
        "probe" => "Reading the source",
        "encode" => "Encoding",
        "publish" => "Checking the whole",
        _ => "Waiting for its turn",
    };
}
