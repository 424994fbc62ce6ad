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
            // Among packets with times, one without is the second field of a picture or an empty place holder.
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
            if (shown.Count >= SourceLimits.MaxFrames)
            {
                throw new MediaException(MediaErrorCode.SourceTooLarge,
                    $"The video has over {SourceLimits.MaxFrames} frames. Split it into parts.");
            }
            shown.Add(new Packet(time, Math.Max(0, Ticks(line[parts[1]]) ?? 0), key));
        }

        public PacketTable ToTable()
        {
            // H.264 in AVI is the usual case: what ffmpeg then makes up differs from decoder to decoder by some frames.
            if (shown.Count == 0 && withoutPts > 0)
            {
                throw new MediaException(MediaErrorCode.SourceUnsupportedFormat,
                    "The container does not say when its frames are shown (H.264 in AVI does not). "
                    + "Convert it: ffmpeg -i FILE -c:v libx264 OUTPUT.mp4");
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
            return new PacketTable { Pts = times, KeyframePts = keys, LastDuration = last };
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
