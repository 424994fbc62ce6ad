using System.Globalization;

namespace Hexcast.Harness.Faults;

/// <summary>What all processors have done since the machine started (proc(5), /proc/stat), in ticks.</summary>
public readonly record struct ProcessorTime(long Idle, long All)
{
    private const int IdleAt = 3;
    private const int WaitsForDiskAt = 4;

    /// <summary>Time given to guests is in that of their users already.</summary>
    private const int Fields = 8;

    public static ProcessorTime Read()
    {
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Take(Fields).Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToList();
        return new ProcessorTime(ticks[IdleAt] + ticks[WaitsForDiskAt], ticks.Sum());
    }

    /// <summary>From 0 to 1.</summary>
    public double IdleSince(ProcessorTime before) => (double)(Idle - before.Idle) / Math.Max(1, All - before.All);
}
