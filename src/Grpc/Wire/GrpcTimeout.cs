using System.Globalization;

namespace Grpc.Wire;

/// <summary>grpc-timeout: at most 8 digits and a unit (H, M, S, m, u, n).</summary>
static class GrpcTimeout
{
    const int MaxDigits = 8;
    const long MaxValue = 99_999_999;
    const long NanosecondsPerTick = 100;

    static readonly (char Unit, long Ticks)[] UnitsToSend =
    [
        ('u', TimeSpan.TicksPerMicrosecond),
        ('m', TimeSpan.TicksPerMillisecond),
        ('S', TimeSpan.TicksPerSecond),
        ('M', TimeSpan.TicksPerMinute),
        ('H', TimeSpan.TicksPerHour),
    ];

    /// <summary>In the finest unit that fits, rounded up so that the server never gives up first.</summary>
    public static string Format(TimeSpan timeout)
    {
        foreach (var (unit, ticks) in UnitsToSend)
        {
            var value = (timeout.Ticks / ticks) + (timeout.Ticks % ticks > 0 ? 1 : 0);
            if (value <= MaxValue)
                return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(value, 1)}{unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{MaxValue}H");
    }

    public static bool TryParse(string? text, out TimeSpan timeout)
    {
        timeout = default;
        if (text is null || text.Length is < 2 or > MaxDigits + 1)
            return false;
        if (!long.TryParse(text.AsSpan()[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return false;

        long? ticks = text[^1] switch
        {
            'H' => value * TimeSpan.TicksPerHour,
            'M' => value * TimeSpan.TicksPerMinute,
            'S' => value * TimeSpan.TicksPerSecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'u' => value * TimeSpan.TicksPerMicrosecond,
            'n' => (value + NanosecondsPerTick - 1) / NanosecondsPerTick,
            _ => null,
        };
        timeout = new TimeSpan(ticks ?? 0);
        return ticks is not null;
    }
}
