using System.Buffers.Binary;

namespace Hexcast.Media.IsoBmff;

/// <summary>
/// Reads big-endian fields and child boxes of one box (ISO/IEC 14496-12, 4.2) and never past its end.
/// </summary>
internal ref struct BoxReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> rest = payload;

    public readonly int Remaining => rest.Length;

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)rest.Length)
        {
            throw Malformed("a box is shorter than what it must hold");
        }
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    public void Skip(int count) => Take(count);

    public byte U8() => Take(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    /// <summary>Version and flags of a full box.</summary>
    public (byte Version, uint Flags) FullBox()
    {
        var word = U32();
        return ((byte)(word >> 24), word & 0xFF_FFFF);
    }

    /// <summary>The next child with its payload, or false at the end.</summary>
    public bool TryBox(out uint type, out BoxReader box)
    {
        if (rest.IsEmpty)
        {
            type = 0;
            box = default;
            return false;
        }
        var size = U32();
        type = U32();
        // 64-bit sizes (1) and "to the end" (0) make no sense inside the small boxes read here.
        if (size < 8)
        {
            throw Malformed($"box {BoxType.Text(type)} has size {size}");
        }
        box = new BoxReader(size - 8 <= int.MaxValue ? Take((int)(size - 8)) : throw Malformed("a box is too large"));
        return true;
    }

    /// <summary>The only child of a type.</summary>
    public readonly BoxReader Required(uint wanted) =>
        Find(wanted, out var box) ? box : throw Malformed($"box {BoxType.Text(wanted)} is missing");

    public readonly bool Find(uint wanted, out BoxReader found)
    {
        var children = this;
        found = default;
        var seen = false;
        while (children.TryBox(out var type, out var box))
        {
            if (type != wanted)
            {
                continue;
            }
            if (seen)
            {
                throw Malformed($"box {BoxType.Text(wanted)} is there twice");
            }
            found = box;
            seen = true;
        }
        return seen;
    }

    public readonly ReadOnlySpan<byte> Rest => rest;

    public static MediaException Malformed(string problem) => new(MediaErrorCode.FragmentMalformed,
        $"The fragmented MP4 cannot be read: {problem}.");
}

/// <summary>Box types as the four characters read big-endian.</summary>
internal static class BoxType
{
    public const uint Ftyp = 0x66747970, Styp = 0x73747970, Moov = 0x6D6F6F76, Moof = 0x6D6F6F66, Mdat = 0x6D646174;
    public const uint Mvhd = 0x6D766864, Trak = 0x7472616B, Tkhd = 0x746B6864, Mdia = 0x6D646961, Mdhd = 0x6D646864;
    public const uint Hdlr = 0x68646C72, Minf = 0x6D696E66, Vmhd = 0x766D6864, Smhd = 0x736D6864, Dinf = 0x64696E66;
    public const uint Dref = 0x64726566, Url = 0x75726C20, Stbl = 0x7374626C, Stsd = 0x73747364, Stts = 0x73747473;
    public const uint Stsc = 0x73747363, Stsz = 0x7374737A, Stco = 0x7374636F, Mvex = 0x6D766578, Trex = 0x74726578;
    public const uint Mfhd = 0x6D666864, Traf = 0x74726166, Tfhd = 0x74666864, Tfdt = 0x74666474, Trun = 0x7472756E;
    public const uint Avc1 = 0x61766331, AvcC = 0x61766343, Mp4a = 0x6D703461, Esds = 0x65736473;
    public const uint Vide = 0x76696465, Edts = 0x65647473, Elst = 0x656C7374;
    public const uint Soun = 0x736F756E;
    public const uint Iso6 = 0x69736F36, Cmfc = 0x636D6663, Cmfs = 0x636D6673, Msdh = 0x6D736468;

    public static string Text(uint type) => string.Create(4, type, static (chars, value) =>
    {
        for (var i = 0; i < 4; i++)
        {
            var c = (char)((value >> (24 - 8 * i)) & 0xFF);
            chars[i] = c is >= ' ' and <= '~' ? c : '?';
        }
    });
}
