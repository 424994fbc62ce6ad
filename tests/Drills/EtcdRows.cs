namespace Hexcast.Drills;

/// <summary>The rows of the fault matrix that are about an etcd's members, and what our nodes make of them.</summary>
internal static class EtcdRows
{
    private static readonly HostsRow<EtcdHosts>[] Rows =
    [
        .. HostsRows.Shared<EtcdHosts>(),
        new("cut-master-out", "no member hears the master, until another one is it",
            async (c, _) => (await EtcdFaults.CutMasterAsync(c, isHeard: false, hears: true)).Without,
            Limits: Limits.EtcdFailover),
        new("cut-master-in", "the master hears no member, until another one is it",
            async (c, _) => (await EtcdFaults.CutMasterAsync(c, isHeard: true, hears: false)).Without,
            Limits: Limits.EtcdFailover),
        new("cut-master-off", "the master is cut off from all members, until another one is it",
            async (c, _) => (await EtcdFaults.CutMasterAsync(c, isHeard: false, hears: false)).Without,
            Limits: Limits.EtcdFailover),
        new("cut-master-healed", "the master was cut off out, in, both ways by turns; healed",
            async (c, i) => (await EtcdFaults.CutMasterAsync(c, isHeard: i % 3 == 1, hears: i % 3 == 0)).Healed,
            Times: 12, Limits: Limits.Healed),
        new("cut-master-one", "the master is cut off from one member after the other, until it sees all",
            (c, _) => EtcdFaults.CutMasterFromOneAsync(c)),
        new("fsync-error", "fsync error on the member that leads, until another one writes",
            (c, _) => EtcdFaults.FailDiskAsync(c, EtcdDisk.FailSyncAsync)),
        new("disk-full", "no space for the member that leads, until another one writes",
            (c, _) => EtcdFaults.FailDiskAsync(c, EtcdDisk.FillAsync)),
        new("slow-disk", "+500 ms an fsync on the member that leads: the slowest of four writes",
            (c, _) => EtcdFaults.SlowDiskAsync(c)),
    ];

    public static IEnumerable<string> Names => Rows.Select(row => row.Name);

    /// <param name="only">The row, or null: all.</param>
    /// <param name="folder">Of their data.</param>
    /// <returns>Whether all limits were kept.</returns>
    public static Task<bool> RunAsync(string? only, string folder) => HostsRows.RunAsync(
        ClusterDrill.Etcd, Rows, only, EtcdHosts.Hindrance,
        () => EtcdHosts.StartAsync(Path.Combine(folder, "etcd-members")));
}
