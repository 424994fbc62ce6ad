using System.Globalization;

namespace Hexcast.Worker;

/// <summary>Reads what Linux says of this machine's load.</summary>
internal sealed class NodeLoadSampler(string scratchFolder)
{
    /// <summary>CPU load is the run queue's mean over a minute, a processor.</summary>
    public NodeLoad Sample() => new(
        Number(File.ReadAllText("/proc/loadavg").Split(' ')[0]) / Environment.ProcessorCount,
        MemoryAvailable(File.ReadLines("/proc/meminfo")),
        new DriveInfo(scratchFolder).AvailableFreeSpace);

    private static long MemoryAvailable(IEnumerable<string> lines)
    {
        const string label = "MemAvailable:";
        var line = lines.FirstOrDefault(l => l.StartsWith(label, StringComparison.Ordinal));
        return line is null ? 0 : 1024 * (long)Number(line[label.Length..].Replace("kB", "", StringComparison.Ordinal));
    }

    private static double Number(string text) => double.Parse(text.Trim(), CultureInfo.InvariantCulture);
}
