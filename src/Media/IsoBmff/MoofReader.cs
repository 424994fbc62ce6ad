namespace Hexcast.Media.IsoBmff;

/// <summary>Samples that lie one behind the other, at an offset from the start of their <c>moof</c>.</summary>
internal sealed record FragmentRun(int DataOffset, List<FragmentSample> Samples);

internal readonly record struct FragmentSample(
    long Dts, uint Duration, uint Size, bool IsKey, int CompositionOffset);

/// <summary>Reads <c>moof</c> (ISO/IEC 14496-12, 8.8): one track fragment with any number of runs.</summary>
internal static class MoofReader
{
    private const uint BaseDataOffsetPresent = 0x1, SampleDescriptionPresent = 0x2, DefaultDurationPresent = 0x8;
    private const uint DefaultSizePresent = 0x10, DefaultFlagsPresent = 0x20, DefaultBaseIsMoof = 0x2_0000;
    private const uint DataOffsetPresent = 0x1, FirstFlagsPresent = 0x4, DurationPresent = 0x100, SizePresent = 0x200;
    private const uint FlagsPresent = 0x400, CompositionPresent = 0x800;
    private const uint NonSyncSample = 0x1_0000;

    // Half the range, so that sums with offsets and durations cannot overflow.
    private const long MaxTime = long.MaxValue / 2;

    public static List<FragmentRun> Read(BoxReader moof, TrackInit init)
    {
        var traf = moof.Required(BoxType.Traf);
        var tfhd = traf.Required(BoxType.Tfhd);
        var (_, present) = tfhd.FullBox();
        if (tfhd.U32() != init.TrackId)
        {
            throw BoxReader.Malformed("a fragment is of another track");
        }
        if ((present & BaseDataOffsetPresent) != 0 || (present & DefaultBaseIsMoof) == 0)
        {
            throw BoxReader.Malformed("a fragment's offsets do not count from its moof");
        }
        if ((present & SampleDescriptionPresent) != 0)
        {
            tfhd.Skip(4);
        }
        var duration = (present & DefaultDurationPresent) != 0 ? tfhd.U32() : init.DefaultDuration;
        var size = (present & DefaultSizePresent) != 0 ? tfhd.U32() : init.DefaultSize;
        var flags = (present & DefaultFlagsPresent) != 0 ? tfhd.U32() : init.DefaultFlags;

        var tfdt = traf.Required(BoxType.Tfdt);
        // ffmpeg writes times before zero as two's complement.
        var time = tfdt.FullBox().Version == 1 ? unchecked((long)tfdt.U64()) : tfdt.U32();
        if (time is > MaxTime or < -MaxTime)
        {
            throw BoxReader.Malformed("a decoding time is out of range");
        }

        var runs = new List<FragmentRun>();
        var count = 0;
        while (traf.TryBox(out var type, out var box))
        {
            if (type != BoxType.Trun)
            {
                continue;
            }
            var run = ReadRun(box, duration, size, flags, ref time, ref count);
            if (run.DataOffset == NoOffset)
            {
                throw BoxReader.Malformed("a run has no data offset");
            }
            runs.Add(run);
        }
        return runs.Count > 0 ? runs : throw BoxReader.Malformed("a fragment holds no run");
    }

    private const int NoOffset = int.MinValue;

    private static FragmentRun ReadRun(
        BoxReader trun, uint defaultDuration, uint defaultSize, uint defaultFlags, ref long time, ref int count)
    {
        var (_, present) = trun.FullBox();
        var samples = trun.U32();
        if (samples > FragmentLimits.MaxSamplesPerFragment - count)
        {
            throw BoxReader.Malformed($"a fragment has over {FragmentLimits.MaxSamplesPerFragment} samples");
        }
        count += (int)samples;
        var offset = (present & DataOffsetPresent) != 0 ? (int)trun.U32() : NoOffset;
        uint? firstFlags = (present & FirstFlagsPresent) != 0 ? trun.U32() : null;
        var list = new List<FragmentSample>();
        for (var i = 0; i < samples; i++)
        {
            var duration = (present & DurationPresent) != 0 ? trun.U32() : defaultDuration;
            var size = (present & SizePresent) != 0 ? trun.U32() : defaultSize;
            var flags = (present & FlagsPresent) != 0 ? trun.U32() : defaultFlags;
            // Version 0 calls it unsigned, but ffmpeg and players alike read it signed.
            var composition = (present & CompositionPresent) != 0 ? unchecked((int)trun.U32()) : 0;
            flags = i == 0 ? firstFlags ?? flags : flags;
            list.Add(new FragmentSample(time, duration, size, (flags & NonSyncSample) == 0, composition));
            time += duration;
        }
        return new FragmentRun(offset, list);
    }
}
