namespace Hexcast.Media.IsoBmff;

/// <summary>
/// Writes a CMAF header (ISO/IEC 23000-19, 7.3): one track, nothing that depends on a chunk. So it is the same, byte
/// for byte, over all chunks of a rendition. An edit list takes off what the composition offsets are raised by.
/// </summary>
public static class InitSegmentWriter
{
    internal const uint TrackId = 1;

    private const uint MovieTimescale = 1000;
    private const ushort UndeterminedLanguage = 0x55C4;
    private static readonly uint[] UnityMatrix = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

    /// <param name="reorderTicks">See <see cref="Planning.TranscodePlan.ReorderTicks"/>; 0 for sound.</param>
    public static byte[] Write(TrackInit track, int reorderTicks)
    {
        var w = new BoxWriter(1024);
        var ftyp = w.Open(BoxType.Ftyp);
        w.U32(BoxType.Iso6);
        w.U32(0);
        w.U32(BoxType.Iso6);
        w.U32(BoxType.Cmfc);
        w.Close(ftyp);

        var moov = w.Open(BoxType.Moov);
        WriteMovieHeader(w);
        var trak = w.Open(BoxType.Trak);
        WriteTrackHeader(w, track);
        if (reorderTicks > 0)
        {
            WriteEditList(w, reorderTicks);
        }
        WriteMedia(w, track);
        w.Close(trak);
        var mvex = w.Open(BoxType.Mvex);
        var trex = w.OpenFull(BoxType.Trex, 0, 0);
        w.U32(TrackId);
        w.U32(1);
        w.Zeros(12);
        w.Close(trex);
        w.Close(mvex);
        w.Close(moov);
        return w.ToArray();
    }

    private static void WriteMovieHeader(BoxWriter w)
    {
        var mvhd = w.OpenFull(BoxType.Mvhd, 0, 0);
        w.Zeros(8);
        w.U32(MovieTimescale);
        w.U32(0);
        w.U32(0x1_0000);
        w.U16(0x100);
        w.Zeros(10);
        Matrix(w);
        w.Zeros(24);
        w.U32(TrackId + 1);
        w.Close(mvhd);
    }

    private static void WriteTrackHeader(BoxWriter w, TrackInit track)
    {
        // Enabled, in the movie, in the preview.
        var tkhd = w.OpenFull(BoxType.Tkhd, 0, 7);
        w.Zeros(8);
        w.U32(TrackId);
        w.Zeros(20);
        w.U16(track.Kind == TrackKind.Audio ? (ushort)0x100 : (ushort)0);
        w.U16(0);
        Matrix(w);
        w.U32((uint)track.Width << 16);
        w.U32((uint)track.Height << 16);
        w.Close(tkhd);
    }

    private static void WriteEditList(BoxWriter w, int mediaTime)
    {
        var edts = w.Open(BoxType.Edts);
        var elst = w.OpenFull(BoxType.Elst, 0, 0);
        w.U32(1);
        // Duration 0: all that the fragments bring (ISO/IEC 14496-12, 8.6.6).
        w.U32(0);
        w.U32((uint)mediaTime);
        w.U32(0x1_0000);
        w.Close(elst);
        w.Close(edts);
    }

    private static void WriteMedia(BoxWriter w, TrackInit track)
    {
        var mdia = w.Open(BoxType.Mdia);
        var mdhd = w.OpenFull(BoxType.Mdhd, 0, 0);
        w.Zeros(8);
        w.U32((uint)track.Timescale);
        w.U32(0);
        w.U16(UndeterminedLanguage);
        w.U16(0);
        w.Close(mdhd);
        var hdlr = w.OpenFull(BoxType.Hdlr, 0, 0);
        w.U32(0);
        w.U32(track.Kind == TrackKind.Video ? BoxType.Vide : BoxType.Soun);
        w.Zeros(12);
        w.Bytes(track.Kind == TrackKind.Video ? "Video\0"u8 : "Sound\0"u8);
        w.Close(hdlr);

        var minf = w.Open(BoxType.Minf);
        if (track.Kind == TrackKind.Video)
        {
            var vmhd = w.OpenFull(BoxType.Vmhd, 0, 1);
            w.Zeros(8);
            w.Close(vmhd);
        }
        else
        {
            var smhd = w.OpenFull(BoxType.Smhd, 0, 0);
            w.Zeros(4);
            w.Close(smhd);
        }
        var dinf = w.Open(BoxType.Dinf);
        var dref = w.OpenFull(BoxType.Dref, 0, 0);
        w.U32(1);
        // Flag 1: the media is in this file.
        w.Close(w.OpenFull(BoxType.Url, 0, 1));
        w.Close(dref);
        w.Close(dinf);

        var stbl = w.Open(BoxType.Stbl);
        w.Bytes(track.SampleDescriptions.Span);
        EmptyTable(w, BoxType.Stts, 4);
        EmptyTable(w, BoxType.Stsc, 4);
        EmptyTable(w, BoxType.Stsz, 8);
        EmptyTable(w, BoxType.Stco, 4);
        w.Close(stbl);
        w.Close(minf);
        w.Close(mdia);
    }

    private static void EmptyTable(BoxWriter w, uint type, int bytes)
    {
        var table = w.OpenFull(type, 0, 0);
        w.Zeros(bytes);
        w.Close(table);
    }

    private static void Matrix(BoxWriter w)
    {
        foreach (var value in UnityMatrix)
        {
            w.U32(value);
        }
    }
}
