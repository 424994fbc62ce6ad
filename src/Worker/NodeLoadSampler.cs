using System.Globalization;

namespace Hexcast.Worker;

/// <summary>Reads what Linux says of this machine's load.</summary>
internal sealed class NodeLoadSampler(string scratchFolder)
{
    /// <summary>CPU load is the run queue's mean over a minute, a processor.</summary>
    public NodeLoad Sample()
    {
        var memory = File.ReadAllLines("/proc/meminfo");
        return new NodeLoad(
            Number(File.ReadAllText("/proc/loadavg").Split(' ')[0]) / Environment.ProcessorCount,
            Bytes(memory, "MemAvailable:"),
            Bytes(memory, "MemTotal:"),
            new DriveInfo(scratchFolder).AvailableFreeSpace);
    }

    private static long Bytes(IEnumerable<string> lines, string label)
    {
        var line = lines.FirstOrDefault(l => l.StartsWith(label, StringComparison.Ordinal));
        return line is null ? 0 : 1024 * (long)Number(line[label.Length..].Replace("kB", "", StringComparison.Ordinal));
    }

    private static double Number(string text) => double.Parse(text.Trim(), CultureInfo.InvariantCulture);
}
