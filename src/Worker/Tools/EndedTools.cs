using System.Runtime.InteropServices;

namespace Hexcast.Worker.Tools;

/// <summary>
/// Processor time of tools that have ended. The kernel adds it up when a child has been waited for (getrusage(2),
/// RUSAGE_CHILDREN); what has come to it since the last look is the run's that has just ended. Two that end in the same
/// moment may have each other's; the sum is right. A run that is killed adds nothing: its bwrap dies before it has
/// waited. This process has no other children.
/// </summary>
internal static partial class EndedTools
{
    private const int Children = -1;

    private static readonly Lock Turn = new();
    private static TimeSpan taken;

    /// <summary>What has been used since it was last asked.</summary>
    public static TimeSpan TakeProcessorTime()
    {
        lock (Turn)
        {
            if (GetUsage(Children, out var used) != 0)
            {
                return TimeSpan.Zero;
            }

            var now = used.User.Time + used.System.Time;
            var since = now - taken;
            taken = now;
            return since;
        }
    }

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int GetUsage(int who, out Usage usage);

    // Of eighteen words, as it is on Linux with 64 bits, four are read.
    [StructLayout(LayoutKind.Sequential, Size = 18 * sizeof(long))]
    private struct Usage
    {
        public Clock User, System;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Clock
    {
        private readonly long seconds, microseconds;

        public readonly TimeSpan Time => TimeSpan.FromSeconds(seconds) + TimeSpan.FromMicroseconds(microseconds);
    }
}
