namespace Hexcast.Drills;

/// <summary>The rows of the fault matrix that are about the nodes which keep the embedded coordinator.</summary>
internal static class VoterRows
{
    private static readonly HostsRow<VoterCluster>[] Rows =
    [
        .. HostsRows.Shared<VoterCluster>(),
        new("fsync-error", "fsync error on the master, until another one writes",
            (c, _) => VoterFaults.FailSyncAsync(c)),
        new("disk-full", "no space for the master's log, until it has all once there is",
            (c, _) => VoterFaults.FillDiskAsync(c)),
        new("disks-full", "no space for any log, until a write is taken once there is",
            (c, _) => VoterFaults.FillAllDisksAsync(c)),
        new("slow-disk", "+500 ms a write on the master, until another one is it",
            (c, _) => VoterFaults.SlowDiskAsync(c)),
        new("torn-log", "the log ends in a record torn at each of its bytes, until the node has all again",
            (c, i) => VoterFaults.TearLogAsync(c, i + 1), Times: 200),
        new("flipped-bit", "a bit flipped in what is committed, until the node has all again",
            (c, i) => VoterFaults.FlipBitAsync(c, new Random(i)), Times: 50),
    ];

    public static IEnumerable<string> Names => Rows.Select(row => row.Name);

    /// <param name="only">The row, or null: all.</param>
    /// <param name="folder">Of their data.</param>
    /// <returns>Whether all limits were kept.</returns>
    public static Task<bool> RunAsync(string? only, string folder) => HostsRows.RunAsync(
        ClusterDrill.Embedded, Rows, only, VoterCluster.Hindrance,
        () => VoterCluster.StartAsync(Path.Combine(folder, "voters")));
}
