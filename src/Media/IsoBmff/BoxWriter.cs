using System.Buffers;
using System.Buffers.Binary;

namespace Hexcast.Media.IsoBmff;

/// <summary>Writes big-endian fields and nested boxes; a box's size is filled in when it is closed.</summary>
internal sealed class BoxWriter(int capacity)
{
    private readonly ArrayBufferWriter<byte> buffer = new(capacity);
    private readonly List<(int Position, uint Value)> patches = [];

    public int Length => buffer.WrittenCount;

    public int Open(uint type)
    {
        var start = Length;
        U32(0);
        U32(type);
        return start;
    }

    public int OpenFull(uint type, byte version, uint flags)
    {
        var start = Open(type);
        U32((uint)version << 24 | flags);
        return start;
    }

    public void Close(int start) => Patch(start, (uint)(Length - start));

    /// <summary>Replaces a field that was written before its value was known.</summary>
    public void Patch(int position, uint value) => patches.Add((position, value));

    public void U8(byte value) => Bytes([value]);

    public void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(buffer.GetSpan(2), value);
        buffer.Advance(2);
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(buffer.GetSpan(4), value);
        buffer.Advance(4);
    }

    public void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(buffer.GetSpan(8), value);
        buffer.Advance(8);
    }

    public void Bytes(ReadOnlySpan<byte> bytes) => buffer.Write(bytes);

    public void Zeros(int count)
    {
        buffer.GetSpan(count)[..count].Clear();
        buffer.Advance(count);
    }

    public byte[] ToArray()
    {
        var bytes = buffer.WrittenSpan.ToArray();
        foreach (var (position, value) in patches)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(position), value);
        }
        return bytes;
    }
}
