using System.Buffers;
using System.Globalization;
using System.Text;

namespace Hexcast.Media.Subtitles;

/// <summary>
/// Makes cue text of whatever a subtitle file holds: lines, and the tags b, i, u, ruby and rt, balanced. Any other
/// markup goes and its text stays; what could be read as markup or as the end of a cue is escaped (WebVTT, 4.2.2).
/// </summary>
internal static class CueText
{
    public const int MaxChars = 1_000;
    public const int MaxLines = 8;

    /// <summary>Further ones are dropped as unknown ones are.</summary>
    public const int MaxTags = 64;
    public const int MaxDepth = 8;

    private const int MaxTagChars = 256;
    private const int MaxEntityChars = 10;

    private static readonly SearchValues<char> TimeChars = SearchValues.Create("0123456789:.");
    private static readonly string[] Tags = ["b", "i", "u", "ruby", "rt"];

    public static string Clean(string raw)
    {
        var lines = raw.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Take(MaxLines);
        var text = string.Join('\n', lines);
        var clean = new StringBuilder(text.Length);
        var open = new Stack<string>();
        var (chars, tags) = (0, 0);
        for (var at = 0; at < text.Length && chars < MaxChars;)
        {
            if (text[at] == '<' && TagEnd(text, at) is { } end)
            {
                Tag(text[(at + 1)..end], clean, open, ref tags);
                at = end + 1;
                continue;
            }

            var (rune, length) = Next(text, at);
            at += length;
            if (Escape(rune) is { Length: > 0 } escaped)
            {
                clean.Append(escaped);
                chars++;
            }
        }

        while (open.TryPop(out var name))
        {
            clean.Append(CultureInfo.InvariantCulture, $"</{name}>");
        }

        return RemoveBlankLines(clean.ToString());
    }

    // A tag that was dropped may have been all there was of a line, and a blank line would end the cue.
    private static string RemoveBlankLines(string text) => string.Join(
        '\n', text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Where the tag that begins here ends; null where the sign means itself, as in "I &lt;3 you".</summary>
    private static int? TagEnd(string text, int at)
    {
        var limit = Math.Min(text.Length, at + MaxTagChars);
        var end = text.IndexOf('>', at, limit - at);
        if (end < 0)
        {
            return null;
        }

        var inside = text.AsSpan(at + 1, end - at - 1);
        var name = inside.TrimStart('/');
        var isTag = name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] is '!' or '?');
        // A time within a cue, for karaoke.
        var isTime = name.Length > 0 && !name.ContainsAnyExcept(TimeChars);
        return isTag || isTime || inside.SequenceEqual("/") ? end : null;
    }

    private static void Tag(string inside, StringBuilder clean, Stack<string> open, ref int tags)
    {
        var closes = inside.StartsWith('/');
        // A class, as in <c.red>, or an attribute ends the name.
        var name = inside.TrimStart('/').Split([' ', '.', '\t', '\n', '/'], 2)[0];
        var known = Array.Find(Tags, tag => tag.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (known is null || (known == "rt" && !closes && !open.Contains("ruby")))
        {
            return;
        }

        if (!closes)
        {
            if (open.Count < MaxDepth && tags < MaxTags)
            {
                tags++;
                open.Push(known);
                clean.Append(CultureInfo.InvariantCulture, $"<{known}>");
            }

            return;
        }

        if (!open.Contains(known))
        {
            return;
        }

        // What was opened within it ends with it.
        string ended;
        do
        {
            ended = open.Pop();
            clean.Append(CultureInfo.InvariantCulture, $"</{ended}>");
        }
        while (ended != known);
    }

    /// <summary>The next character (of an entity the one that it stands for), and how many it takes.</summary>
    private static (Rune Rune, int Length) Next(string text, int at)
    {
        if (text[at] == '&')
        {
            var limit = Math.Min(text.Length, at + MaxEntityChars);
            var end = text.IndexOf(';', at, limit - at);
            if (end > 0 && Entity(text.AsSpan(at + 1, end - at - 1)) is { } rune)
            {
                return (rune, end + 1 - at);
            }
        }

        return Rune.TryGetRuneAt(text, at, out var plain)
            ? (plain, plain.Utf16SequenceLength)
            : (Rune.ReplacementChar, 1);
    }

    private static Rune? Entity(ReadOnlySpan<char> name) => name switch
    {
        "amp" => new Rune('&'),
        "lt" => new Rune('<'),
        "gt" => new Rune('>'),
        "quot" => new Rune('"'),
        "apos" => new Rune('\''),
        "nbsp" => new Rune('\u00A0'),
        "lrm" => new Rune('\u200E'),
        "rlm" => new Rune('\u200F'),
        ['#', 'x' or 'X', .. var hex] when int.TryParse(
            hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && Rune.IsValid(code) =>
            new Rune(code),
        ['#', .. var digits] when int.TryParse(
            digits, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && Rune.IsValid(code) =>
            new Rune(code),
        _ => null,
    };

    private static string Escape(Rune rune) => rune.Value switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '\n' => "\n",
        '\t' => " ",
        0x00A0 => "&nbsp;",
        0x200E => "&lrm;",
        0x200F => "&rlm;",
        // Ends a line for some readers.
        0x2028 or 0x2029 => " ",
        _ => Rune.IsControl(rune) ? "" : rune.ToString(),
    };
}
