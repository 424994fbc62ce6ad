using System.Globalization;

namespace Hexcast.Media.Probing;

public sealed partial record PacketTable
{
    /// <summary>Reads what <see cref="ProbeArguments.VideoPackets"/> prints, line by line.</summary>
    /// <exception cref="MediaException">There is no frame that can be shown, or there are too many.</exception>
    public static PacketTable Parse(TextReader csv)
    {
        var rows = new Rows();
        while (csv.ReadLine() is { } line)
        {
            rows.Add(line);
        }
        return rows.ToTable();
    }

    /// <summary>The same from text in memory.</summary>
    public static PacketTable Parse(ReadOnlySpan<char> csv)
    {
        var rows = new Rows();
        foreach (var line in csv.EnumerateLines())
        {
            rows.Add(line);
        }
        return rows.ToTable();
    }

    /// <summary>
    /// Reads what <see cref="ProbeArguments.VideoFrames"/> prints. These times hold only when decoding from the
    /// beginning, so the table has one key frame: chunks made from it never seek.
    /// </summary>
    /// <exception cref="MediaException">No frame can be decoded, or there are too many.</exception>
    public static PacketTable ParseFrames(TextReader frameCrc)
    {
        var rows = new Rows();
        while (frameCrc.ReadLine() is { } line)
        {
            rows.AddFrame(line);
        }
        return rows.ToTable();
    }

    private sealed class Rows
    {
        private readonly List<Packet> shown = [];
        private long? firstKey;
        private int withoutPts;

        private readonly record struct Packet(long Time, long Duration, bool Key);

        // pts,duration,flags and, with some containers, the names of side data behind another comma.
        public void Add(ReadOnlySpan<char> line)
        {
            if (line.IsWhiteSpace())
            {
                return;
            }
            if (line.Length > SourceLimits.MaxPacketLineChars)
            {
                throw Unreadable();
            }
            Span<Range> parts = stackalloc Range[4];
            var count = line.Split(parts, ',');
            if (count < 3)
            {
                throw Unreadable();
            }
            if (Ticks(line[parts[0]]) is not { } time)
            {
                withoutPts++;
                return;
            }
            var flags = line[parts[2]];
            var key = flags.Contains('K');
            if (key && (firstKey is null || time < firstKey))
            {
                firstKey = time;
            }
            if (flags.Contains('D'))
            {
                return;
            }
            Show(time, Ticks(line[parts[1]]) ?? 0, key);
        }

        // stream, dts, pts, duration, size, checksum; comments start with a number sign.
        public void AddFrame(ReadOnlySpan<char> line)
        {
            if (line.IsWhiteSpace() || line[0] == '#')
            {
                return;
            }
            Span<Range> parts = stackalloc Range[7];
            if (line.Length > SourceLimits.MaxPacketLineChars
                || line.Split(parts, ',', StringSplitOptions.TrimEntries) < 6)
            {
                throw Unreadable();
            }
            var first = shown.Count == 0;
            Show(Ticks(line[parts[2]]) ?? throw Unreadable(), Ticks(line[parts[3]]) ?? 0, first);
        }

        private void Show(long time, long duration, bool key)
        {
            if (shown.Count >= SourceLimits.MaxFrames)
            {
                throw new MediaException(MediaErrorCode.SourceTooLarge,
                    $"The video has over {SourceLimits.MaxFrames} frames. Split it into parts.");
            }
            shown.Add(new Packet(time, Math.Max(0, duration), key));
        }

        public PacketTable ToTable()
        {
            // H.264 in AVI has no times at all.
            if (shown.Count == 0 && withoutPts > 0)
            {
                return new PacketTable { Pts = [], KeyframePts = [], LastDuration = 1, Exact = false };
            }
            // Frames before the first key frame have nothing to be decoded from.
            var frames = shown.Where(p => firstKey is null || p.Time >= firstKey).OrderBy(p => p.Time).ToList();
            if (frames.Count == 0)
            {
                throw new MediaException(MediaErrorCode.SourceNoVideo,
                    "The video stream holds no frame with a time. Check that the file plays, then upload it again.");
            }
            var times = frames.Select(p => p.Time).Distinct().ToArray();
            var keys = frames.Where(p => p.Key).Select(p => p.Time).Distinct().ToArray();
            var last = frames.Where(p => p.Time == times[^1]).Max(p => p.Duration);
            if (last <= 0)
            {
                last = times.Length > 1 ? times[^1] - times[^2] : 1;
            }
            return new PacketTable { Pts = times, KeyframePts = keys, LastDuration = last, Exact = withoutPts == 0 };
        }

        private static long? Ticks(ReadOnlySpan<char> field)
        {
            if (field is "N/A" or "")
            {
                return null;
            }
            // Half the range, so that differences cannot overflow.
            return long.TryParse(field, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                && value is > long.MinValue / 2 and < long.MaxValue / 2 ? value : throw Unreadable();
        }

        private static MediaException Unreadable() =>
            new(MediaErrorCode.ProbeUnreadable, "ffprobe did not print a table of packets.");
    }
}
