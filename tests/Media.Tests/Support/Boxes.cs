using System.Text;
using Hexcast.Media.IsoBmff;

namespace Hexcast.Media.Tests.Support;

/// <summary>Small fragmented files made by our own writers, with samples whose bytes are their numbers.</summary>
internal static class Boxes
{
    public static TrackInit Video(int timescale) => new()
    {
        Kind = TrackKind.Video,
        Timescale = timescale,
        Codec = "avc1.4d400c",
        Width = 320,
        Height = 180,
        SampleDescriptions = Stsd(BoxBytes("avc1", [.. new byte[24], 1, 64, 0, 180, .. new byte[50],
            .. BoxBytes("avcC", [1, 0x4d, 0x40, 0x0c, 0xff, 0xe0, 0])])),
    };

    public static TrackInit Audio(int timescale) => new()
    {
        Kind = TrackKind.Audio,
        Timescale = timescale,
        Codec = "mp4a.40.2",
        Channels = 2,
        SampleRateHz = timescale,
        SampleDescriptions = Stsd(BoxBytes("mp4a", [.. new byte[16], 0, 2, 0, 16, 0, 0, 0, 0, 0xbb, 0x80, 0, 0,
            .. BoxBytes("esds", [0, 0, 0, 0, 3, 22, 0, 1, 0, 4, 17, 0x40, 0x15, .. new byte[11], 5, 2, 0x11, 0x90])])),
    };

    public static byte[] BoxBytes(string type, byte[] payload)
    {
        var size = payload.Length + 8;
        return [(byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size,
            .. Encoding.ASCII.GetBytes(type), .. payload];
    }

    /// <summary>A file with one fragment for each list of samples.</summary>
    public static byte[] File(TrackInit track, params MediaSample[][] fragments) =>
        [.. InitSegmentWriter.Write(track, 0), .. fragments.SelectMany((f, i) => SegmentWriter.Write(i + 1, f))];

    public static MediaSample Sample(long dts, long pts, bool key = false, int bytes = 5, long duration = 1) =>
        new(dts, pts, duration, key, Enumerable.Repeat((byte)pts, bytes).ToArray());

    private static byte[] Stsd(byte[] entry) => BoxBytes("stsd", [0, 0, 0, 0, 0, 0, 0, 1, .. entry]);
}
