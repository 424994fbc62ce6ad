using System.Buffers.Binary;

namespace Hexcast.Simulation;

internal enum OperationKind : byte
{
    Get,
    Put,

    /// <summary>Writes if the value is the expected one.</summary>
    Swap,
}

/// <summary>What a client asks of the state machine: one register a key; 0 is what nobody has written.</summary>
internal readonly record struct Operation(OperationKind Kind, int Key, int Value, int Expected)
{
    public byte[] Encode()
    {
        var bytes = new byte[13];
        bytes[0] = (byte)Kind;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), Key);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(5), Value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(9), Expected);
        return bytes;
    }

    public static Operation Decode(ReadOnlySpan<byte> bytes) => new(
        (OperationKind)bytes[0], BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[5..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[9..]));

    /// <summary>The state after it, and what the client is told.</summary>
    public (int State, int Result) On(int state) => Kind switch
    {
        OperationKind.Get => (state, state),
        OperationKind.Put => (Value, 0),
        _ => state == Expected ? (Value, 1) : (state, 0),
    };
}

/// <summary>The state machine that is replicated.</summary>
internal sealed class Registers
{
    private readonly SortedDictionary<int, int> _values = [];

    /// <summary>Of the whole state: equal for equal states.</summary>
    public ulong Digest { get; private set; }

    public int Read(int key) => _values.GetValueOrDefault(key);

    public int Apply(ReadOnlySpan<byte> payload)
    {
        var operation = Operation.Decode(payload);
        var before = Read(operation.Key);
        var (after, result) = operation.On(before);
        Set(operation.Key, before, after);
        return result;
    }

    public byte[] Save()
    {
        var bytes = new byte[8 * _values.Count];
        var at = 0;
        foreach (var (key, value) in _values)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), key);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at + 4), value);
            at += 8;
        }
        return bytes;
    }

    public static Registers Load(ReadOnlySpan<byte> bytes)
    {
        var registers = new Registers();
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            registers.Set(
                BinaryPrimitives.ReadInt32LittleEndian(bytes), 0, BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]));
        }
        return registers;
    }

    private void Set(int key, int before, int after)
    {
        _values[key] = after;
        Digest ^= Of(key, before) ^ Of(key, after);

        static ulong Of(int key, int value) => value == 0 ? 0 : Dice.Mix((ulong)(uint)key << 32 | (uint)value);
    }
}
