using System.Text.RegularExpressions;

namespace Hexcast.Media.Subtitles;

/// <summary>
/// Where a cue stands in the picture: WebVTT 1, 4.4. What is not as the standard writes it is left out, as players do,
/// and so is <c>region</c>, for regions are left out too.
/// </summary>
internal static partial class CueSettings
{
    private const int TimeoutMs = 1000;

    /// <summary>Of the five settings the last of each, in the standard's order; empty where there is none.</summary>
    public static string Clean(ReadOnlySpan<char> text)
    {
        string? vertical = null, line = null, position = null, size = null, align = null;
        foreach (var range in text.SplitAny(' ', '\t'))
        {
            var setting = text[range];
            if (setting.IsEmpty || !Setting().IsMatch(setting))
            {
                continue;
            }

            switch (setting[..setting.IndexOf(':')])
            {
                case "vertical":
                    vertical = setting.ToString();
                    break;
                case "line":
                    line = setting.ToString();
                    break;
                case "position":
                    position = setting.ToString();
                    break;
                case "size":
                    size = setting.ToString();
                    break;
                default:
                    align = setting.ToString();
                    break;
            }
        }

        return string.Join(' ', new[] { vertical, line, position, size, align }.OfType<string>());
    }

    // A percentage has up to three decimals here, and a line is within a thousand.
    [GeneratedRegex(
        """
        ^(
          vertical:(rl|lr)
        | line:(-?[0-9]{1,3}|(100|[0-9]{1,2}(\.[0-9]{1,3})?)%)(,(start|center|end))?
        | position:(100|[0-9]{1,2}(\.[0-9]{1,3})?)%(,(line-left|center|line-right))?
        | size:(100|[0-9]{1,2}(\.[0-9]{1,3})?)%
        | align:(start|center|end|left|right)
        )\z
        """,
        RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant,
        TimeoutMs)]
    private static partial Regex Setting();
}
