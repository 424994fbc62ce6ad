using System.Globalization;

namespace Hexcast.Media.IsoBmff;

/// <summary>What the encoder's <c>moov</c> says of its only track.</summary>
public sealed record TrackInit
{
    public required TrackKind Kind { get; init; }

    /// <summary>Ticks a second of the samples' times.</summary>
    public required int Timescale { get; init; }

    /// <summary>The whole <c>stsd</c> box: how to decode the samples.</summary>
    public required ReadOnlyMemory<byte> SampleDescriptions { get; init; }

    /// <summary>RFC 6381, read from avcC or esds.</summary>
    public required string Codec { get; init; }
    public int Width { get; init; }
    public int Height { get; init; }
    public int Channels { get; init; }
    public int SampleRateHz { get; init; }

    internal uint TrackId { get; init; }
    internal uint DefaultDuration { get; init; }
    internal uint DefaultSize { get; init; }
    internal uint DefaultFlags { get; init; }
}

/// <summary>Reads <c>moov</c> (ISO/IEC 14496-12, 8.2) of a fragmented file with one AVC or AAC track.</summary>
internal static class TrackInitReader
{
    public static TrackInit Read(BoxReader moov)
    {
        var trak = moov.Required(BoxType.Trak);
        var mdia = trak.Required(BoxType.Mdia);
        var mdhd = mdia.Required(BoxType.Mdhd);
        mdhd.Skip(mdhd.FullBox().Version == 1 ? 16 : 8);
        var timescale = mdhd.U32();
        if (timescale is 0 or > int.MaxValue)
        {
            throw BoxReader.Malformed("the timescale is out of range");
        }

        var trex = moov.Required(BoxType.Mvex).Required(BoxType.Trex);
        trex.FullBox();
        var trackId = trex.U32();
        trex.Skip(4);
        uint duration = trex.U32(), size = trex.U32(), flags = trex.U32();

        var hdlr = mdia.Required(BoxType.Hdlr);
        hdlr.Skip(8);
        var stsd = mdia.Required(BoxType.Minf).Required(BoxType.Stbl).Required(BoxType.Stsd);
        var init = hdlr.U32() switch
        {
            BoxType.Vide => Video(stsd),
            BoxType.Soun => Audio(stsd),
            var other => throw BoxReader.Malformed($"a track of kind {BoxType.Text(other)} is not expected"),
        };
        return init with
        {
            Timescale = (int)timescale,
            SampleDescriptions = WholeBox(BoxType.Stsd, stsd.Rest),
            TrackId = trackId,
            DefaultDuration = duration,
            DefaultSize = size,
            DefaultFlags = flags,
        };
    }

    private static BoxReader OnlyEntry(BoxReader stsd, uint wanted)
    {
        stsd.FullBox();
        if (stsd.U32() != 1 || !stsd.TryBox(out var type, out var entry) || type != wanted)
        {
            throw BoxReader.Malformed($"the track is not described by one {BoxType.Text(wanted)}");
        }
        return entry;
    }

    private static TrackInit Video(BoxReader stsd)
    {
        var entry = OnlyEntry(stsd, BoxType.Avc1);
        entry.Skip(24);
        int width = entry.U16(), height = entry.U16();
        entry.Skip(50);
        var avcC = entry.Required(BoxType.AvcC);
        avcC.Skip(1);
        var profile = Convert.ToHexStringLower(avcC.Take(3));
        return Blank(TrackKind.Video, $"avc1.{profile}") with { Width = width, Height = height };
    }

    private static TrackInit Audio(BoxReader stsd)
    {
        var entry = OnlyEntry(stsd, BoxType.Mp4a);
        entry.Skip(16);
        int channels = entry.U16();
        entry.Skip(6);
        var rate = (int)(entry.U32() >> 16);
        var esds = entry.Required(BoxType.Esds);
        esds.FullBox();
        return Blank(TrackKind.Audio, AacCodec(esds)) with { Channels = channels, SampleRateHz = rate };
    }

    // ISO/IEC 14496-1, 7.2.6: ES_Descriptor (3) holds DecoderConfigDescriptor (4) holds DecoderSpecificInfo (5).
    private static string AacCodec(BoxReader descriptors)
    {
        var stream = Descriptor(ref descriptors, 3);
        stream.Skip(2);
        if (stream.U8() != 0)
        {
            throw BoxReader.Malformed("the sound's stream descriptor has parts that are not expected");
        }
        var decoder = Descriptor(ref stream, 4);
        var objectType = decoder.U8();
        decoder.Skip(12);
        var specific = Descriptor(ref decoder, 5);
        // AudioSpecificConfig: five bits of object type, 31 escapes to six more.
        int first = specific.U8(), audioType = first >> 3;
        if (audioType == 31)
        {
            audioType = 32 + ((first & 7) << 3 | specific.U8() >> 5);
        }
        return string.Create(CultureInfo.InvariantCulture, $"mp4a.{objectType:x2}.{audioType}");
    }

    private static BoxReader Descriptor(ref BoxReader from, byte wanted)
    {
        if (from.U8() != wanted)
        {
            throw BoxReader.Malformed($"descriptor {wanted} of the sound is missing");
        }
        var length = 0;
        for (var i = 0; i < 4; i++)
        {
            var next = from.U8();
            length = length << 7 | next & 0x7F;
            if (next < 0x80)
            {
                return new BoxReader(from.Take(length));
            }
        }
        throw BoxReader.Malformed("a descriptor's length does not end");
    }

    private static TrackInit Blank(TrackKind kind, string codec) => new()
    {
        Kind = kind,
        Codec = codec,
        Timescale = 1,
        SampleDescriptions = default,
    };

    private static byte[] WholeBox(uint type, ReadOnlySpan<byte> payload)
    {
        var writer = new BoxWriter(payload.Length + 8);
        var start = writer.Open(type);
        writer.Bytes(payload);
        writer.Close(start);
        return writer.ToArray();
    }
}
