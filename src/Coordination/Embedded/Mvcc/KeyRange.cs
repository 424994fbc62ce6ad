using Google.Protobuf;

namespace Hexcast.Coordination.Embedded.Mvcc;

/// <summary>
/// One key, [key, end), or every key from a first one on: etcd writes the three as an empty end, an end, and the end
/// of one zero byte.
/// </summary>
internal readonly record struct KeyRange
{
    private KeyRange(ByteString key, ByteString? end, bool isPoint)
    {
        Key = key;
        End = end;
        IsPoint = isPoint;
    }

    public ByteString Key { get; }

    /// <summary>Exclusive; null has no end.</summary>
    public ByteString? End { get; }

    public bool IsPoint { get; }

    public bool IsEmpty => !IsPoint && End is not null && Bytes.Compare(Key, End) >= 0;

    public static KeyRange Of(ByteString key, ByteString rangeEnd) => rangeEnd switch
    {
        { Length: 0 } => new KeyRange(key, end: null, isPoint: true),
        { Length: 1 } when rangeEnd[0] == 0 => new KeyRange(key, end: null, isPoint: false),
        _ => new KeyRange(key, rangeEnd, isPoint: false),
    };

    public bool Contains(ByteString key) => IsPoint
        ? key.Equals(Key)
        : Bytes.Compare(key, Key) >= 0 && (End is null || Bytes.Compare(key, End) < 0);
}

internal static class Bytes
{
    /// <summary>Unsigned, byte by byte; a prefix sorts before what it begins.</summary>
    public static int Compare(ByteString left, ByteString right) => left.Span.SequenceCompareTo(right.Span);
}
