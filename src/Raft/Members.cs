using System.Buffers.Binary;

namespace Hexcast.Raft;

/// <summary>
/// Who belongs to the group. Voters elect and commit; learners only receive. Each change differs from the one before by
/// one voter, so that any two majorities, before and after, share a node (dissertation, 4.1).
/// </summary>
internal sealed class Members
{
    public const int MaximumMembers = 32;

    public static readonly Members None = new([], []);

    /// <summary>Both sorted, so that equal members are equal bytes.</summary>
    private readonly ulong[] _voters;
    private readonly ulong[] _learners;

    private Members(ulong[] voters, ulong[] learners) => (_voters, _learners) = (voters, learners);

    public IReadOnlyList<ulong> Voters => _voters;

    public IReadOnlyList<ulong> Learners => _learners;

    public IEnumerable<ulong> All => _voters.Concat(_learners);

    public int Count => _voters.Length + _learners.Length;

    /// <summary>Voters that must agree.</summary>
    public int Quorum => _voters.Length / 2 + 1;

    public static Members Of(IEnumerable<ulong> voters, params IEnumerable<ulong> learners) =>
        new([.. voters.Order()], [.. learners.Order()]);

    public bool IsVoter(ulong node) => Array.IndexOf(_voters, node) >= 0;

    public bool IsLearner(ulong node) => Array.IndexOf(_learners, node) >= 0;

    public bool Contains(ulong node) => IsVoter(node) || IsLearner(node);

    public Members WithLearner(ulong node) => Of(_voters, [.. _learners, node]);

    public Members WithVoter(ulong node) => Of([.. _voters, node], _learners.Where(n => n != node));

    public Members Without(ulong node) => Of(_voters.Where(n => n != node), _learners.Where(n => n != node));

    /// <summary>The highest value that a majority of the voters has reached.</summary>
    public ulong Reached(Func<ulong, ulong> of)
    {
        Span<ulong> values = stackalloc ulong[_voters.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = of(_voters[i]);
        }
        values.Sort();
        return values.Length == 0 ? 0 : values[^Quorum];
    }

    /// <summary>u16 voters, u16 learners, then each id as u64; little-endian.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[4 + 8 * Count];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)_voters.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), (ushort)_learners.Length);
        var at = 4;
        foreach (var node in All)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), node);
            at += 8;
        }
        return bytes;
    }

    /// <exception cref="InvalidDataException">These are not members.</exception>
    public static Members Decode(ReadOnlySpan<byte> bytes)
    {
        var voters = bytes.Length < 4 ? -1 : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        var learners = bytes.Length < 4 ? -1 : BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        if (voters < 0 || voters + learners > MaximumMembers || bytes.Length != 4 + 8 * (voters + learners))
        {
            throw new InvalidDataException($"{bytes.Length} bytes are not the members of a group.");
        }
        var nodes = new ulong[voters + learners];
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(4 + 8 * i)..]);
        }
        return Of(nodes.Take(voters), nodes.Skip(voters));
    }

    public override string ToString() => _learners.Length == 0
        ? $"[{string.Join(' ', _voters)}]"
        : $"[{string.Join(' ', _voters)} | {string.Join(' ', _learners)}]";
}
