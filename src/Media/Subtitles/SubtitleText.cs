using System.Globalization;
using System.Text;

namespace Hexcast.Media.Subtitles;

/// <summary>
/// Reads WebVTT and SubRip, which differ in little, and writes WebVTT. What is read may come from anybody: blocks that
/// are no cue (styles, regions, notes) are left out, as are names; see <see cref="CueText"/> and
/// <see cref="CueSettings"/>.
/// </summary>
public static class SubtitleText
{
    public const int MaxBytes = 8 << 20;
    public const int MaxCues = 20_000;

    private const string Arrow = "-->";
    private const int MaxHourDigits = 4;

    // Its name, its times, and lines of which some may turn out empty.
    private const int MaxBlockLines = 64;

    /// <summary>The cues that have a text and a length, the earliest first.</summary>
    /// <exception cref="MediaException">subtitle_unreadable: it is not text, or over a limit.</exception>
    public static IReadOnlyList<SubtitleCue> Read(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxBytes)
        {
            throw Unreadable($"it is over {MaxBytes >> 20} MiB");
        }

        if (utf8.Contains((byte)0))
        {
            throw Unreadable("it is not text in UTF-8");
        }

        var text = Encoding.UTF8.GetString(utf8).TrimStart('\uFEFF');
        var cues = new List<SubtitleCue>();
        foreach (var block in Blocks(text))
        {
            if (Cue(block) is { } cue)
            {
                cues.Add(cue);
                if (cues.Count > MaxCues)
                {
                    throw Unreadable($"it holds over {MaxCues} subtitles");
                }
            }
        }

        return [.. cues.OrderBy(cue => cue.Start)];
    }

    /// <summary>The cues on a timeline that begins later and has an end.</summary>
    public static IReadOnlyList<SubtitleCue> Shift(
        IReadOnlyList<SubtitleCue> cues, TimeSpan origin, TimeSpan duration) =>
    [
        .. cues.Select(cue => cue with
        {
            Start = cue.Start > origin ? cue.Start - origin : TimeSpan.Zero,
            End = cue.End - origin < duration ? cue.End - origin : duration,
        }).Where(cue => cue.Start < cue.End),
    ];

    public static byte[] Write(IReadOnlyList<SubtitleCue> cues)
    {
        var text = new StringBuilder("WEBVTT\n");
        foreach (var cue in cues)
        {
            var where = cue.Settings.Length == 0 ? "" : " " + cue.Settings;
            text.Append(
                CultureInfo.InvariantCulture, $"\n{Time(cue.Start)} {Arrow} {Time(cue.End)}{where}\n{cue.Text}\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    internal static string Time(TimeSpan time) => string.Create(
        CultureInfo.InvariantCulture, $"{(long)time.TotalHours:00}:{time:mm\\:ss\\.fff}");

    private static IEnumerable<List<string>> Blocks(string text)
    {
        var block = new List<string>();
        using var lines = new StringReader(text);
        while (lines.ReadLine() is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                // Of a block without end no more is kept than a cue can show.
                if (block.Count < MaxBlockLines)
                {
                    block.Add(line);
                }
            }
            else if (block.Count > 0)
            {
                yield return block;
                block = [];
            }
        }

        if (block.Count > 0)
        {
            yield return block;
        }
    }

    private static SubtitleCue? Cue(List<string> block)
    {
        // Before the times at most a name: "-->" further down is text.
        for (var i = 0; i < Math.Min(2, block.Count); i++)
        {
            if (Times(block[i]) is var (start, end, settings) && start < end)
            {
                var cleaned = CueText.Clean(string.Join('\n', block.Skip(i + 1)));
                return cleaned.Length == 0 ? null : new SubtitleCue(start, end, cleaned, settings);
            }
        }

        return null;
    }

    private static (TimeSpan Start, TimeSpan End, string Settings)? Times(string line)
    {
        var arrow = line.IndexOf(Arrow, StringComparison.Ordinal);
        if (arrow < 0)
        {
            return null;
        }

        var after = line.AsSpan(arrow + Arrow.Length).Trim();
        var space = after.IndexOfAny(' ', '\t');
        return Parse(line.AsSpan(0, arrow).Trim()) is { } start && Parse(space < 0 ? after : after[..space]) is { } end
            ? (start, end, space < 0 ? "" : CueSettings.Clean(after[space..]))
            : null;
    }

    // [hours:]minutes:seconds.thousandths; SubRip has a comma.
    private static TimeSpan? Parse(ReadOnlySpan<char> text)
    {
        var dot = text.IndexOfAny('.', ',');
        if (dot < 0 || !Number(text[(dot + 1)..], 3, 3, out var thousandths))
        {
            return null;
        }

        var clock = text[..dot];
        var last = clock.LastIndexOf(':');
        if (last < 0 || !Number(clock[(last + 1)..], 2, 2, out var seconds) || seconds > 59)
        {
            return null;
        }

        var rest = clock[..last];
        var first = rest.IndexOf(':');
        var hours = 0;
        if (!Number(first < 0 ? rest : rest[(first + 1)..], 2, 2, out var minutes) || minutes > 59
            || (first >= 0 && !Number(rest[..first], 1, MaxHourDigits, out hours)))
        {
            return null;
        }

        return new TimeSpan(0, hours, minutes, seconds, thousandths);
    }

    private static bool Number(ReadOnlySpan<char> text, int fewest, int most, out int number)
    {
        number = 0;
        return text.Length >= fewest && text.Length <= most
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static MediaException Unreadable(string why) =>
        new(MediaErrorCode.SubtitleUnreadable, $"The subtitles cannot be used: {why}.");
}
