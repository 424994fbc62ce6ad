using Hexcast.Simulation.Coordinators;

namespace Hexcast.Simulation.Jobs;

/// <summary>Who is the master, as a watch at some coordinator tells it.</summary>
internal sealed class JobDirectory
{
    private readonly GroupWatcher _watcher;

    public JobDirectory(Group group) => _watcher = GroupWatcher.OfKey(
        group, GroupOracle.ElectionKey, null, key => Master = key?.Value.ToStringUtf8());

    public string? Master { get; private set; }

    public void Close() => _watcher.Stop();
}
