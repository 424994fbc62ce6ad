using System.Globalization;

namespace Hexcast.Media;

/// <summary>An exact fraction: a time base in seconds a tick, or a frame rate in frames a second.</summary>
public readonly record struct Rational(long Num, long Den)
{
    public double ToDouble() => (double)Num / Den;

    /// <summary>
    /// Ticks of this time base in seconds. Divided once: ticks times a time base that is rounded already would be
    /// 1.7684333333333335 for 53 frames of 1001/30000.
    /// </summary>
    public double Seconds(long ticks) => (double)((Int128)ticks * Num) / Den;

    /// <summary>
    /// Ticks of this time base in ticks of 1/<paramref name="timescale"/>, to the nearest, halves away from zero.
    /// </summary>
    public long Rescale(long ticks, int timescale)
    {
        var numerator = (Int128)ticks * Num * timescale;
        var half = (Int128)Den / 2;
        var rounded = numerator >= 0 ? (numerator + half) / Den : -((-numerator + half) / Den);
        return checked((long)rounded);
    }

    /// <summary>The first tick of this time base at or after a time.</summary>
    public long CeilingTicks(TimeSpan time)
    {
        var numerator = (Int128)time.Ticks * Den;
        var denominator = (Int128)TimeSpan.TicksPerSecond * Num;
        var floor = numerator / denominator;
        return checked((long)(numerator > floor * denominator ? floor + 1 : floor));
    }

    /// <summary>Microseconds, rounded down: ffmpeg's own unit for times on its command line.</summary>
    public long FloorMicroseconds(long ticks)
    {
        var numerator = (Int128)ticks * Num * 1_000_000;
        var quotient = numerator / Den;
        return checked((long)(numerator < 0 && quotient * Den != numerator ? quotient - 1 : quotient));
    }

    /// <summary>Reads <c>30000/1001</c> or <c>16:9</c>; null for anything else, for zero and for negatives.</summary>
    public static Rational? TryParsePositive(string? text)
    {
        var cut = text?.IndexOfAny(['/', ':']) ?? -1;
        return cut > 0
            && long.TryParse(text.AsSpan(0, cut), NumberStyles.None, CultureInfo.InvariantCulture, out var num)
            && long.TryParse(text.AsSpan(cut + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var den)
            && num is > 0 and <= int.MaxValue && den is > 0 and <= int.MaxValue
                ? new Rational(num, den)
                : null;
    }

    public override string ToString() => $"{Num}/{Den}";
}
