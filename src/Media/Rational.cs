namespace Hexcast.Media;

/// <summary>An exact fraction: a time base in seconds a tick, or a frame rate in frames a second.</summary>
public readonly record struct Rational(long Num, long Den)
{
    public double ToDouble() => (double)Num / Den;

    public override string ToString() => $"{Num}/{Den}";
}
