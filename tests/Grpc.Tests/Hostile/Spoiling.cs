namespace Hexcast.Grpc.Tests.Hostile;

/// <summary>One thing that is done to good bytes; plain numbers, so that FsCheck finds and shrinks them.</summary>
/// <param name="Kind">Which of the ways to spoil.</param>
/// <param name="Piece">Of which frame or message.</param>
/// <param name="At">Where in it.</param>
/// <param name="Value">What is put there.</param>
public sealed record Spoiling(byte Kind, byte Piece, ushort At, byte Value)
{
    public static byte[] Apply(IEnumerable<byte[]> good, IEnumerable<Spoiling> spoilings)
    {
        var pieces = good.Select(piece => piece.ToArray()).ToList();
        foreach (var spoiling in spoilings)
            spoiling.ApplyTo(pieces);
        return [.. pieces.SelectMany(piece => piece)];
    }

    void ApplyTo(List<byte[]> pieces)
    {
        if (pieces.Count == 0)
            return;
        var index = Piece % pieces.Count;
        var piece = pieces[index];
        var at = piece.Length == 0 ? 0 : At % piece.Length;
        switch (Kind % 8)
        {
            case 0 when piece.Length > 0:
                piece[at] = Value;
                break;
            case 1 when piece.Length > 0:
                piece[at] ^= (byte)(1 << (Value % 8));
                break;
            // Frames and messages begin with what says how long and what they are.
            case 2 when piece.Length > 0:
                piece[at % Math.Min(piece.Length, Http2Bytes.FrameHeaderBytes)] = Value;
                break;
            case 3:
                pieces[index] = piece[..at];
                break;
            case 4:
                pieces.Insert(index, [.. piece]);
                break;
            case 5:
                pieces.RemoveAt(index);
                break;
            case 6:
                pieces[index] = [.. piece[..at], .. Enumerable.Repeat(Value, At % 300), .. piece[at..]];
                break;
            case 7:
                pieces.Reverse(index, Math.Min(2, pieces.Count - index));
                break;
        }
    }
}
