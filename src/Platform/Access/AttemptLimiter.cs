using System.Net;
using System.Net.Sockets;

namespace Hexcast.Platform.Access;

/// <summary>How many attempts a source, and all sources together, have.</summary>
public sealed record AttemptLimits
{
    public required int Burst { get; init; }

    /// <summary>One attempt comes back in this time.</summary>
    public required TimeSpan RefillInterval { get; init; }

    public required int OverallBurst { get; init; }

    public required TimeSpan OverallRefillInterval { get; init; }

    /// <summary>Sources that are remembered; over it those that have most attempts left are forgotten.</summary>
    public int Sources { get; init; } = 10_000;
}

/// <summary>A token bucket for each source and one over all, on the time that its caller names.</summary>
public sealed class AttemptLimiter(AttemptLimits limits)
{
    private readonly Lock turn = new();
    private readonly Dictionary<string, Bucket> sources = new(StringComparer.Ordinal);
    private Bucket overall = new(limits.OverallBurst, DateTimeOffset.MinValue);

    /// <summary>
    /// What an address counts as: IPv4 for itself, IPv6 by its /64, which is the least that one subscriber has.
    /// </summary>
    public static string Source(IPAddress? address)
    {
        if (address is null)
        {
            return "";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetwork
            ? address.ToString()
            : Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8));
    }

    /// <summary>Takes an attempt; false where the source or all together have none left.</summary>
    public bool TryTake(string source, DateTimeOffset now)
    {
        lock (turn)
        {
            var own = Refilled(source, now);
            var all = overall.Refill(limits.OverallBurst, limits.OverallRefillInterval, now);
            overall = all;
            if (own.Left < 1 || all.Left < 1)
            {
                Remember(source, own, now);
                return false;
            }

            overall = all with { Left = all.Left - 1 };
            Remember(source, own with { Left = own.Left - 1 }, now);
            return true;
        }
    }

    /// <summary>How long until <see cref="TryTake"/> can succeed again; zero where it would now.</summary>
    public TimeSpan Wait(string source, DateTimeOffset now)
    {
        lock (turn)
        {
            var own = Refilled(source, now).Missing(limits.RefillInterval);
            var all = overall.Refill(limits.OverallBurst, limits.OverallRefillInterval, now)
                .Missing(limits.OverallRefillInterval);
            return own > all ? own : all;
        }
    }

    private Bucket Refilled(string source, DateTimeOffset now) =>
        sources.TryGetValue(source, out var bucket)
            ? bucket.Refill(limits.Burst, limits.RefillInterval, now)
            : new Bucket(limits.Burst, now);

    private void Remember(string source, Bucket bucket, DateTimeOffset now)
    {
        sources[source] = bucket;
        if (sources.Count <= limits.Sources)
        {
            return;
        }

        // A tenth at once, the fullest first, so that an attacker with many addresses cannot make its own be forgotten.
        var fullest = sources
            .OrderByDescending(entry => entry.Value.Refill(limits.Burst, limits.RefillInterval, now).Left)
            .Take(Math.Max(1, limits.Sources / 10)).Select(entry => entry.Key).ToList();
        fullest.ForEach(key => sources.Remove(key));
    }

    private readonly record struct Bucket(double Left, DateTimeOffset At)
    {
        // A clock that goes back gives nothing and takes nothing.
        public Bucket Refill(int burst, TimeSpan interval, DateTimeOffset now) => now <= At
            ? this
            : new Bucket(Math.Min(burst, Left + ((now - At) / interval)), now);

        public TimeSpan Missing(TimeSpan interval) => Left >= 1 ? TimeSpan.Zero : (1 - Left) * interval;
    }
}
