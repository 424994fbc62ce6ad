namespace Hexcast.Media.IsoBmff;

/// <summary>Writes a CMAF segment (ISO/IEC 23000-19, 7.3.2): styp, one moof, one mdat.</summary>
public static class SegmentWriter
{
    private const uint DefaultBaseIsMoof = 0x2_0000;
    private const uint RunFields = 0x1 | 0x100 | 0x200 | 0x400 | 0x800;

    // sample_depends_on: 2 is "on nothing", 1 is "on others, and no sync sample".
    private const uint SyncFlags = 0x0200_0000, NonSyncFlags = 0x0101_0000;

    /// <param name="sequence">The segment's number.</param>
    /// <param name="samples">In decoding order; decoding times follow from the first one's and the durations.</param>
    public static byte[] Write(int sequence, IReadOnlyList<MediaSample> samples)
    {
        var media = samples.Sum(s => (long)s.Data.Length);
        var w = new BoxWriter(checked((int)media + samples.Count * 16 + 256));
        var styp = w.Open(BoxType.Styp);
        w.U32(BoxType.Cmfs);
        w.U32(0);
        w.U32(BoxType.Cmfs);
        w.U32(BoxType.Msdh);
        w.Close(styp);

        var moof = w.Open(BoxType.Moof);
        var mfhd = w.OpenFull(BoxType.Mfhd, 0, 0);
        w.U32((uint)sequence);
        w.Close(mfhd);
        var traf = w.Open(BoxType.Traf);
        var tfhd = w.OpenFull(BoxType.Tfhd, 0, DefaultBaseIsMoof);
        w.U32(InitSegmentWriter.TrackId);
        w.Close(tfhd);
        var tfdt = w.OpenFull(BoxType.Tfdt, 1, 0);
        w.U64((ulong)samples[0].Dts);
        w.Close(tfdt);

        var trun = w.OpenFull(BoxType.Trun, 1, RunFields);
        w.U32((uint)samples.Count);
        var dataOffset = w.Length;
        w.U32(0);
        foreach (var sample in samples)
        {
            w.U32(checked((uint)sample.Duration));
            w.U32((uint)sample.Data.Length);
            w.U32(sample.IsKey ? SyncFlags : NonSyncFlags);
            w.U32(unchecked((uint)checked((int)(sample.Pts - sample.Dts))));
        }
        w.Close(trun);
        w.Close(traf);
        w.Close(moof);
        w.Patch(dataOffset, (uint)(w.Length - moof + 8));

        var mdat = w.Open(BoxType.Mdat);
        foreach (var sample in samples)
        {
            w.Bytes(sample.Data.Span);
        }
        w.Close(mdat);
        return w.ToArray();
    }
}
