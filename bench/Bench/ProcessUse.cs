namespace Hexcast.Bench;

/// <summary>What the kernel counts for a process.</summary>
internal static class ProcessUse
{
    private const double TicksPerSecond = 100;

    /// <summary>Processor seconds of the process and of its children that still run.</summary>
    public static double CpuSeconds(int processId) =>
        Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _))
            .Select(name => Stat(int.Parse(name!)))
            .Where(stat => stat is not null && (stat.Value.Id == processId || stat.Value.Parent == processId))
            .Sum(stat => stat!.Value.Ticks) / TicksPerSecond;

    public static double ResidentMebibytes(int processId) => Status(processId, "VmRSS:");

    /// <summary>The most that was ever resident.</summary>
    public static double PeakMebibytes(int processId) => Status(processId, "VmHWM:");

    private static double Status(int processId, string name) =>
        long.Parse(File.ReadLines($"/proc/{processId}/status").Single(line => line.StartsWith(name))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) / 1024.0;

    // proc(5): pid (name) state ppid … utime is field 14, stime 15; the name may hold blanks.
    private static (int Id, int Parent, double Ticks)? Stat(int processId)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{processId}/stat");
            var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            return (processId, int.Parse(fields[1]), double.Parse(fields[11]) + double.Parse(fields[12]));
        }
        catch (IOException)
        {
            // It has ended since.
            return null;
        }
    }
}
