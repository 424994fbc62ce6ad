namespace Hexcast.Simulation;

/// <summary>SplitMix64.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    public static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        return Mix(_state);
    }

    /// <summary>From 0 to below this.</summary>
    public int Below(int limit) => (int)(Next() % (ulong)limit);

    public bool Roll(double chance) => (Next() >> 11) * (1.0 / (1UL << 53)) < chance;

    public TimeSpan Between(double fromMs, double toMs) =>
        TimeSpan.FromTicks((long)((fromMs + (toMs - fromMs) * ((Next() >> 11) * (1.0 / (1UL << 53))))
            * TimeSpan.TicksPerMillisecond));

    public T Pick<T>(IReadOnlyList<T> from) => from[Below(from.Count)];
}

/// <summary>Something that must always hold did not.</summary>
internal sealed partial class ViolationException(string what) : Exception(what);
