using System.Globalization;

namespace Hexcast.Simulation;

/// <summary>What a run went through: what it counts, by words.</summary>
internal sealed record Journey(ulong Digest, TimeSpan Simulated, IReadOnlyList<(string What, long Count)> Counts)
{
    public static Journey Of(World world, params IEnumerable<(string What, long Count)> counts) =>
        new(world.Digest, world.Now, [("events", world.Events), .. counts]);
}

/// <summary>What many runs went through, together.</summary>
internal sealed class Sums
{
    private readonly OrderedDictionary<string, long> _counts = [];
    private double _simulatedSeconds;

    public string Covered => string.Create(CultureInfo.InvariantCulture, $"{_simulatedSeconds:0} s simulated, ") +
        string.Join(", ", _counts.Select(count => $"{count.Value} {count.Key}"));

    public void Add(Journey journey)
    {
        _simulatedSeconds += journey.Simulated.TotalSeconds;
        foreach (var (what, count) in journey.Counts)
        {
            _counts[what] = _counts.GetValueOrDefault(what) + count;
        }
    }
}
